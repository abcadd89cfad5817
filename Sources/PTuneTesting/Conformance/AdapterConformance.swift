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
      make: { try model() }, batch: { try batch($0, training: $1) }, owner: "adapter")
    var checks = [
      ConformanceCheck("it is created", isNeeded: true) {
        let model = try model()
        return .passed("\(model.trainableCount(of: "adapter")) trained values")
      },
      probe.declared, positions, probe.gradients, probe.deterministic, probe.learning, probe.independent,
      saved, causal, probe.leakFree,
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
    ConformanceCheck("it takes no more positions than it says") {
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

  private var saved: ConformanceCheck {
    ConformanceCheck("what is saved and loaded again gives the same scores") {
      let trained = try model()
      let batch = try batch(trained, training: false)
      // Values that no start has, so that what is not saved shows.
      for parameter in trained.parameters where parameter.owner == "adapter" { parameter.disturb() }
      let expected = try trained.scores(batch).perExample
      let (tensors, changed) = try trained.exportAdapter()
      if let name = Dictionary(grouping: tensors, by: \.name).first(where: { $1.count > 1 })?.key {
        return .failed("two tensors are saved as '\(name)'")
      }
      let loaded = try model(try choice.changed(by: changed))
      var rest = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
      for parameter in loaded.parameters {
        let values: [Float]
        if parameter.owner == "adapter" {
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
      if let name = rest.keys.min() { return .failed("'\(name)' is saved and is no parameter") }
      let difference = zip(expected, try loaded.scores(batch).perExample).map(largestDifference).max() ?? 0
      return .when(
        difference < 1e-4,
        "\(tensors.count) tensors, scores apart by \(NumberText.significant(Double(difference)))")
    }
  }

  private var causal: ConformanceCheck {
    ConformanceCheck("it works with a causal model, or says why not") {
      let report: GradientReport
      do {
        let model = try model(causal: true)
        for parameter in model.parameters where parameter.owner == "adapter" { parameter.disturb() }
        report = try GradientCheck().run(model, on: try batch(model, training: true))
      } catch let refusal as EngineFailure {
        return .passed("refuses: \(refusal.reason)")
      }
      let wrong = report.entries.first {
        $0.owner == "adapter" && !($0.typicalDifference <= report.tolerance)
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
