import PTune
import PTuneComposition
import PTuneEngine
import PTunePlugins
import PTuneTerminal

/// What a selector has to hold, over the pool of a ``TwinPool``.
struct SelectorConformance {
  private let bench: PluginBench
  private let choice: ComponentChoice
  private let parity: ParityFile?

  init(_ bench: PluginBench, _ choice: ComponentChoice, _ parity: ParityFile?) {
    (self.bench, self.choice, self.parity) = (bench, choice, parity)
  }

  var checks: [ConformanceCheck] {
    let probe = ModelProbe(
      make: { try model(choice) }, batch: { .forTesting(lengths: [5, 2, 7], training: $1) },
      owner: ParameterOwner.selector)
    var checks = [
      ConformanceCheck("it is created", isNeeded: true) {
        let model = try model(choice)
        return .passed("\(model.trainableCount(of: ParameterOwner.selector)) trained values")
      },
      probe.declared, probe.parametersAlone, probe.repeatable, weights, parts, probe.gradients,
      probe.deterministic, probe.sameInTraining, probe.learning, probe.independent, probe.instances,
      probe.meanLoss, probe.edges, probe.memory, probe.stops, probe.leakFree,
    ]
    if let parity {
      checks.append(parity.check { try model(parity.choice(choice), keys: parity.keys) })
    }
    return checks
  }

  private func model(_ choice: ComponentChoice, keys: Int? = nil) throws -> Model {
    let model = Model.forTesting(threads: 1)
    model.setTasks([TaskFacts(name: "test")])
    try model.useTwinBase()
    try model.useTwinAdapter { try TwinPool(keys: keys ?? TwinPool.defaultKeys) }
    try bench.useSelector(choice, in: model)
    try model.useTwinHead()
    return model
  }

  /// An adapter may ask task by task, so a query's place in the batch is `first` and more.
  private var parts: ConformanceCheck {
    ConformanceCheck("a query's weights do not depend on the queries beside it") {
      let batch = PackedBatch.forTesting(lengths: [5, 2, 7], training: false)
      let model = try model(choice)
      let size = TinyTransformer.hiddenSize
      func rows(_ count: Int, _ seed: UInt64) -> [[Float]] {
        var generator = SplitMix64(seed: seed)
        return (0..<count).map { _ in (0..<size).map { _ in Float(generator.normal()) } }
      }
      let (queries, keys) = (rows(batch.count, 5), rows(TwinPool.defaultKeys, 6))
      let together = try model.selectorWeights(queries: queries, keys: keys, batch: batch).rows
      for query in queries.indices {
        let alone = try model.selectorWeights(
          queries: [queries[query]], keys: keys, batch: batch.example(query)
        ).rows
        let difference = largestDifference([together[query]], alone)
        if !(difference < 1e-5) {
          return .failed(
            "weights of query \(query) differ by \(NumberText.significant(Double(difference))) when it is alone"
          )
        }
      }
      return .passed("\(queries.count) queries")
    }
  }

  private var weights: ConformanceCheck {
    ConformanceCheck("it gives each sequence a finite weight for each key") {
      let model = try model(choice)
      let batch = PackedBatch.forTesting(lengths: [5, 2, 7], training: false)
      let weights = try model.scores(batch).weights
      guard weights.count == batch.count, weights.allSatisfy({ $0.count == TwinPool.defaultKeys }) else {
        return .failed("\(weights.count) rows of \(weights.first?.count ?? 0) weights")
      }
      guard weights.joined().allSatisfy(\.isFinite) else { return .failed("some are not finite") }
      let sums = weights.map { $0.reduce(0, +) }
      return .passed(
        "sums from \(NumberText.significant(Double(sums.min() ?? 0))) to \(NumberText.significant(Double(sums.max() ?? 0)))"
      )
    }
  }
}
