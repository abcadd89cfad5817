import PTune
import PTuneComposition
import PTuneEngine
import PTunePlugins
import PTuneTerminal

/// What an adapter has to hold, on a tiny encoder and a tiny causal model.
struct AdapterConformance {
  private let bench: PluginBench
  private let choice: ComponentChoice
  private let parity: ParityFile?

  init(_ bench: PluginBench, _ choice: ComponentChoice, _ parity: ParityFile?) {
    (self.bench, self.choice, self.parity) = (bench, choice, parity)
  }

  var checks: [ConformanceCheck] {
    let probe = ModelProbe(
      make: { try model() }, batch: { try batch($0, training: $1) },
      more: { _ = try $0.exportAdapter() }, owner: ParameterOwner.adapter)
    var checks = [
      ConformanceCheck("it is created", isNeeded: true) {
        let model = try model()
        return .passed("\(model.trainableCount(of: ParameterOwner.adapter)) trained values")
      },
      probe.declared, recommendation, probe.parametersAlone, probe.repeatable, positions, probe.gradients,
      probe.deterministic, probe.sameInTraining, probe.learning, probe.independent, probe.instances, beside,
      context,
      saved, causal, probe.meanLoss, probe.edges, probe.memory, probe.stops, probe.leakFree,
    ]
    if let parity { checks.append(parity.check { try model(parity.choice(choice)) }) }
    return checks
  }

  private func model(causal: Bool = false) throws -> Model { try model(choice, causal: causal) }

  private func model(_ choice: ComponentChoice, causal: Bool = false) throws -> Model {
    let model = Model.forTesting(threads: 1)
    model.setTasks([TaskFacts(name: "test", labels: ["a", "b"])])
    try model.useTwinBase(causal: causal)
    try bench.useAdapter(choice, in: model)
    if model.asksSelector { try model.useTwinSelector() }
    try model.useTwinHead()
    return model
  }

  /// A batch with places for a template's rows where the adapter puts its rows there.
  private func batch(_ model: Model, training: Bool) throws -> PackedBatch {
    let usesTemplate = choice.hyperparameters["placement"] == .string("template")
    return .forTesting(
      lengths: [5, 2, 7], marks: usesTemplate ? model.adapterPositions : 0, training: training)
  }

  private var positions: ConformanceCheck {
    ConformanceCheck("it occupies no more positions than it says") {
      let model = try model()
      let batch = try batch(model, training: false)
      let (values, _) = try model.hiddenRows(batch)
      let rows = values.count / TinyTransformer.hiddenSize
      let added = (rows - batch.tokens.count + batch.count - 1) / batch.count
      return .when(
        added <= model.adapterPositions,
        "\(added) rows a sequence, \(model.adapterPositions) positions said")
    }
  }

  private var recommendation: ConformanceCheck {
    ConformanceCheck("the learning rate that it recommends can be one") {
      guard let rate = try model().recommendedLearningRate else { return .passed("it recommends none") }
      return .when(rate.isFinite && rate > 0 && rate <= 100, "\(NumberText.significant(rate))")
    }
  }

  /// Several adapters may work together in one run, also two of a method.
  private var beside: ConformanceCheck {
    ConformanceCheck("it works beside another one of its kind in the same run") {
      let model = try model()
      if model.asksSelector { return .skipped("only one adapter of a run may ask the selector") }
      let batch = try batch(model, training: false)
      let before = try model.scores(batch).perExample
      try bench.addIdleAdapter(choice, in: model)
      for parameter in model.parameters where parameter.owner == ParameterOwner.laterAdapter("1") {
        parameter.disturb()
      }
      let difference = largestDifference(before, try model.scores(batch).perExample)
      return .when(
        difference == 0,
        difference == 0
          ? "scores stay as they are"
          : "scores change by \(NumberText.significant(Double(difference))) when one that is switched off is created: what "
            + "belongs to an instance is kept in a global")
    }
  }

  /// Generation knows a text up to its context's end alone, so what is injected must not depend on more.
  private var context: ConformanceCheck {
    ConformanceCheck("what it injects does not depend on tokens beyond the known context") {
      let model = try model()
      model.session.appliesDropout = false
      let context: [Int32] = [5, 9, 1, 30]
      func injected(_ continuation: [Int32], training: Bool) throws -> [[Float]] {
        let marks = try batch(model, training: false)
        let places = marks.markOffsets.count > 1 ? Int(marks.markOffsets[1]) : 0
        let sequence = PackedBatch.Sequence(
          tokens: context + continuation, marks: (0..<places).map { Int32($0 % context.count) }.sorted(),
          context: Int32(context.count))
        // A second sequence, of which all is known: what is read past the end of the first is its tokens.
        let mark = model.mark()
        defer { model.restore(mark) }
        let rows = try model.injectedRows(PackedBatch([sequence, sequence], training: training))
        return rows.map { $0.rows.flatMap { $0 } }
      }
      for training in [false, true] {
        let difference = largestDifference(
          try injected([2, 7, 3], training: training), try injected([21, 33], training: training))
        if !(difference < 1e-6) {
          return .failed(
            "rows differ by \(NumberText.significant(Double(difference))) with other tokens behind `context_ends`, which "
              + "generation does not know yet")
        }
      }
      return .passed("rows for one context and two continuations")
    }
  }

  private var saved: ConformanceCheck {
    ConformanceCheck("saved and loaded parameters give the same scores") {
      let trained = try model()
      let batch = try batch(trained, training: false)
      // Values that no start has, so that what is not saved shows.
      for parameter in trained.parameters where parameter.owner == ParameterOwner.adapter {
        parameter.disturb()
      }
      let expected = try trained.scores(batch).perExample
      let (tensors, changed) = try trained.exportAdapter()
      let again = try trained.exportAdapter().tensors
      guard again.map(\.name) == tensors.map(\.name), again.map(\.values) == tensors.map(\.values) else {
        return .failed("saving it a second time gives other tensors")
      }
      if let bad = tensors.first(where: { !$0.values.allSatisfy(\.isFinite) }) {
        return .failed("'\(bad.name)' is saved with numbers that are not finite")
      }
      if let name = Dictionary(grouping: tensors, by: \.name).first(where: { $1.count > 1 })?.key {
        return .failed("two tensors are saved as '\(name)'")
      }
      let loaded = try model(try choice.changed(by: changed))
      var rest = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
      for parameter in loaded.parameters {
        let values: [Float]
        if parameter.owner == ParameterOwner.adapter {
          guard let tensor = rest.removeValue(forKey: parameter.name) else {
            return .failed("the parameter '\(parameter.name)' is not saved")
          }
          guard tensor.shape == parameter.shape else {
            return .failed("'\(parameter.name)' \(parameter.shape) is saved as \(tensor.shape)")
          }
          values = tensor.values
        } else {
          let same = trained.parameters.first { $0.owner == parameter.owner && $0.name == parameter.name }
          values = same?.array ?? []
        }
        for (index, value) in values.enumerated() { parameter.values[index] = value }
      }
      if let name = rest.keys.min() { return .failed("'\(name)' is saved but is not a parameter") }
      let difference = zip(expected, try loaded.scores(batch).perExample).map(largestDifference).max() ?? 0
      return .when(
        difference < 1e-4,
        "\(tensors.count) tensors, scores apart by \(NumberText.significant(Double(difference)))")
    }
  }

  private var causal: ConformanceCheck {
    ConformanceCheck("it works with a causal model, or says why it does not") {
      let report: GradientReport
      do {
        let model = try model(causal: true)
        let probe = ModelProbe(
          make: { model }, batch: { try batch($0, training: $1) }, owner: ParameterOwner.adapter)
        guard try probe.lossDrift(model) == 0 else { return .skipped("the loss changes from call to call") }
        for parameter in model.parameters where parameter.owner == ParameterOwner.adapter {
          parameter.disturb()
        }
        report = try GradientCheck().run(model, on: try batch(model, training: true))
      } catch let refusal as EngineFailure {
        return .passed("refuses: \(refusal.reason)")
      }
      let wrong = report.entries.first {
        $0.owner == ParameterOwner.adapter && !($0.typicalDifference <= report.tolerance)
      }
      return wrong.map { .failed("the gradient of '\($0.name)' is wrong") } ?? .passed("gradients are right")
    }
  }
}

extension Model {
  /// Number of trained values of one owner.
  func trainableCount(of owner: String) -> Int {
    trainedParameters.reduce(0) { $0 + ($1.owner == owner ? $1.count : 0) }
  }
}

extension ComponentChoice {
  /// With the hyperparameters that the saved component has instead of its own.
  fileprivate func changed(by changes: [(name: String, json: String)]) throws -> ComponentChoice {
    var changed = self
    for (name, json) in changes { changed.hyperparameters[name] = try HyperparameterValue(json: json) }
    return changed
  }
}
