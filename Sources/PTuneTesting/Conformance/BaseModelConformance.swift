import PTune
import PTuneComposition
import PTuneEngine
import PTunePlugins
import PTuneTerminal

/// What a base model has to hold, on the first of the model folders that it accepts.
struct BaseModelConformance {
  let bench: PluginBench
  let choice: ComponentChoice
  private let folders: [String]
  private let parity: ParityFile?
  private static let lengths = [5, 2, 7]

  init(_ bench: PluginBench, _ choice: ComponentChoice, _ options: PluginConformance.Options) {
    (self.bench, self.choice, folders, parity) = (bench, choice, options.models, options.parity)
  }

  var checks: [ConformanceCheck] {
    guard let folder = folders.first(where: { (try? model($0)) != nil }) ?? folders.first else {
      return [
        ConformanceCheck("it runs on a model") {
          .failed("not run: give a small model of its type with --model FOLDER")
        }
      ]
    }
    let probe = ModelProbe(
      make: { try model(folder) }, batch: { try batch($0, training: $1) }, owner: ParameterOwner.base)
    var checks = [
      ConformanceCheck("it is created and states its facts", isNeeded: true) {
        let facts = try facts(folder)
        return .passed(
          "\(facts.layers) layers of \(facts.hiddenSize), \(facts.vocabularySize) tokens, "
            + (facts.causal ? "causal" : "an encoder"))
      },
      rows(folder), causality(folder),
    ]
    checks += Injected.allCases.map { gradients(folder, $0) }
    checks += [
      wordTable(folder), sites(folder), siteRoles(folder), vocabulary(folder), pooler(folder),
      probe.repeatable,
      probe.deterministic, probe.sameInTraining, probe.instances, probe.edges, generation(folder),
      probe.memory,
      probe.stops, probe.leakFree,
    ]
    if let parity { checks.append(parity.check { try model(folder) }) }
    return checks
  }

  func model(_ folder: String, _ injected: Injected? = nil) throws -> Model {
    let model = Model.forTesting(threads: 1)
    try bench.useBase(choice, folder: folder, in: model)
    if let injected { try model.useTwinAdapter { try injected.adapter() } }
    try model.useTwinHead()
    return model
  }

  private func facts(_ folder: String) throws -> BaseFacts {
    guard let facts = try model(folder).facts else { throw ComponentFailure("it states no facts") }
    return facts
  }

  func batch(_ model: Model, training: Bool = false) throws -> PackedBatch {
    .forTesting(
      lengths: Self.lengths, vocabulary: model.facts?.vocabularySize ?? 2, training: training)
  }

  // MARK: - Checks

  private func rows(_ folder: String) -> ConformanceCheck {
    ConformanceCheck("a sequence's rows do not depend on the others in its batch") {
      let model = try model(folder)
      let batch = try batch(model)
      let size = model.facts?.hiddenSize ?? 0
      let together = try model.hiddenRows(batch).values
      guard together.allSatisfy(\.isFinite) else { return .failed("some numbers are not finite") }
      guard together.count == batch.tokens.count * size else {
        return .failed("\(together.count / max(1, size)) rows for \(batch.tokens.count) tokens")
      }
      var worst: Float = 0
      for sequence in 0..<batch.count {
        let alone = try model.hiddenRows(batch.example(sequence)).values
        let own = Int(batch.offsets[sequence]) * size..<Int(batch.offsets[sequence + 1]) * size
        worst = max(worst, largestDifference(Array(together[own]), alone))
      }
      return .when(worst < 1e-4, "apart by \(NumberText.significant(Double(worst)))")
    }
  }

  private func causality(_ folder: String) -> ConformanceCheck {
    ConformanceCheck("a causal model's rows do not depend on what comes after them") {
      let model = try model(folder)
      guard let facts = model.facts, facts.causal else { return .skipped("it is not a causal model") }
      func rows(_ last: Int32) throws -> [Float] {
        let batch = PackedBatch([.init(tokens: [3, 1, 4, last])], training: false)
        return Array(try model.hiddenRows(batch).values.prefix(3 * facts.hiddenSize))
      }
      let difference = largestDifference(try rows(1), try rows(5))
      return .when(difference < 1e-5, "apart by \(NumberText.significant(Double(difference)))")
    }
  }

  private func gradients(_ folder: String, _ injected: Injected) -> ConformanceCheck {
    ConformanceCheck("gradients of \(injected.rawValue) are correct") {
      let model = try model(folder, injected)
      let report = try GradientCheck().run(model, on: try batch(model, training: true))
      let own = report.entries.filter { $0.owner == ParameterOwner.adapter }
      if own.contains(where: { $0.norm == 0 }) { return .failed("they are all zero") }
      let worst = own.map(\.worstDifference).max() ?? .infinity
      return .when(
        worst <= report.tolerance, "largest difference \(NumberText.significant(worst)) of the norm")
    }
  }

  private func generation(_ folder: String) -> ConformanceCheck {
    ConformanceCheck("it scores the next token the same with cached keys and values") {
      let model = try model(folder)
      guard model.facts?.causal == true else { return .skipped("it is not a causal model") }
      let tokens: [Int32] = [3, 1, 4, 1, 5]
      let decoding = try Decoding(model)
      var (texts, scores) = try decoding.begin([.init(tokens: [tokens[0]])])
      var worst: Float = 0
      for count in 1...tokens.count {
        let batch = PackedBatch([.init(tokens: Array(tokens[..<count]))], training: false)
        let all = try model.vocabularyScores(batch)
        worst = max(worst, largestDifference(scores[0], Array(all.suffix(scores[0].count))))
        if count < tokens.count { scores = try decoding.extend([(texts[0], tokens[count])]) }
      }
      texts = []
      return .when(worst < 1e-3, "apart by \(NumberText.significant(Double(worst)))")
    }
  }

  /// What is injected for a check.
  enum Injected: String, CaseIterable {
    case input = "rows at its input"
    case hidden = "hidden prefixes of its layers"
    case keysAndValues = "keys and values of its layers"

    func adapter() throws -> TwinAdapter {
      let facts = Base.facts
      switch self {
      case .input: return try .prompt(rows: 2, at: facts.causal ? .start : .afterFirst)
      case .hidden:
        return try TwinAdapter(
          parameters: Array(repeating: [2, facts.hiddenSize], count: facts.layers)
        ) { values, _, injections in
          for (layer, rows) in values.enumerated() { try injections.hiddenPrefix(rows, layer: layer) }
        }
      case .keysAndValues:
        return try TwinAdapter(
          parameters: Array(repeating: [2, facts.keyValueSize], count: 2 * facts.layers)
        ) { values, _, injections in
          for layer in 0..<facts.layers {
            try injections.keyValuePrefix(
              keys: values[2 * layer], values: values[2 * layer + 1], layer: layer)
          }
        }
      }
    }
  }
}
