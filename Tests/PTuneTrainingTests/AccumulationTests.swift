import PTuneFormats
import PTunePlugins
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneEngine
@testable import PTuneTraining

@Suite("Steps of several batches") struct AccumulationTests {
  private static let cuts = [[1, 1], [1], [3]]

  /// The loss and the gradients of a step that takes a batch in parts.
  ///
  /// - Parameter sizes: examples of the first parts; the last part has the rest.
  private func step(
    _ model: Model, _ whole: PackedBatch, _ sizes: [Int] = []
  ) throws -> (loss: Double, gradients: [[Float]]) {
    var begins = sizes.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    begins.append(whole.exampleCount)
    let batches = zip(begins, begins.dropFirst()).map { begin, end in
      whole.slice(Int(whole.exampleOffsets[begin])..<Int(whole.exampleOffsets[end]))
    }
    model.parameters.forEach { $0.clearGradient() }
    let loss = try zip(batches, try model.shares(of: batches)).reduce(0.0) {
      $0 + Double(try model.differentiate($1.0, share: $1.1))
    }
    return (
      loss,
      model.parameters.map { Array(UnsafeBufferPointer(start: $0.gradients, count: $0.count)) }
    )
  }

  private func expectSame(_ model: Model, _ batch: PackedBatch) throws {
    let whole = try step(model, batch)
    try #require(whole.gradients.contains { $0.contains { $0 != 0 } })
    for sizes in Self.cuts {
      let parts = try step(model, batch, sizes)
      #expect(abs(parts.loss - whole.loss) < 1e-5 * max(1, abs(whole.loss)), "loss of \(sizes)")
      for (index, parameter) in model.parameters.enumerated() {
        let (a, b) = (parts.gradients[index], whole.gradients[index])
        // What shifts all scores of a softmax alike has no gradient but rounding errors.
        let vanishes = (a + b).allSatisfy { abs($0) < 1e-6 }
        #expect(
          vanishes || relativeDifference(a, b) < 1e-4, "\(parameter.owner).\(parameter.name) of \(sizes)")
      }
    }
  }

  @Test(
    "loss and gradients are those of one batch with all rows, for every head",
    arguments: [
      "heads", "token-classification", "regression", "cloze", "extractive-qa", "multiple-choice",
      "multi-label", "decoders", "sites-decoders", "prompt-pool",
    ].flatMap { Workbench.cases("steps/\($0)") }.filter { $0.json["passes"] == nil })
  func heads(_ fixture: FixtureCase) throws {
    let json = fixture.json
    let composition = try Workbench.compose(
      checkpoint: try json.text("checkpoint"), adapter: try StepFixture.adapter(json),
      selector: try StepFixture.selector(json), head: try StepFixture.head(json),
      template: json["template"]?.stringValue)
    // An adapter that begins with zeros would leave half of it without a gradient.
    for parameter in composition.model.parameters {
      for index in 0..<parameter.count { parameter.values[index] += Float(index % 7 - 3) * 0.01 }
    }
    var batch = try StepFixture.batch(try #require(json["batch"]))
    if batch.exampleCount < 4 {
      // One more example for each of those that there are.
      let examples = (0..<batch.exampleCount).map { batch.slice(batch.sequences(ofExample: $0)) }
      batch = PackedBatch(
        examples: (examples + examples).map { example in
          (0..<example.count).map { index in
            let range = example.tokens(of: index..<index + 1)
            return PackedBatch.Sequence(
              tokens: Array(example.tokens[range]), tokenTypes: Array(example.tokenTypes[range]),
              integers: index == 0 ? example.integers : [], numbers: index == 0 ? example.numbers : [],
              marks: Array(example.marks(index)))
          }
        }, training: true)
    }
    try expectSame(composition.model, batch)
  }

  @Test(
    "tasks count with their weights, fixed or learned, however their rows are cut", arguments: [false, true])
  func tasks(learned: Bool) throws {
    let composition = try Workbench.compose(
      checkpoint: "tiny-bert", adapter: ComponentChoice(plugin: "prompt-tuning"),
      heads: [
        (
          "a",
          ComponentChoice(
            plugin: "sequence-classification",
            hyperparameters: [
              "labels": .strings(["x", "y"]), "class_weights": .strings(["x=5"]), "dropout": .double(0),
            ])
        ),
        ("b", ComponentChoice(plugin: "regression", hyperparameters: ["dropout": .double(0)])),
      ])
    composition.model.setLossWeights([1, 0.3], learned: learned)
    let sequences = (0..<5).map { (index: Int32) in
      let isFirst = index < 3
      return PackedBatch.Sequence(
        tokens: [2, 20 + index, 30 + 2 * index, 3], task: isFirst ? 0 : 1,
        integers: isFirst ? [index % 2] : [],
        numbers: isFirst ? [] : [Float(index)])
    }
    try expectSame(composition.model, PackedBatch(sequences, training: true))
  }

  @Test("a training and a search for its rate take the same steps with rows in one batch and in several")
  func trainings() throws {
    let tiny = try TinyRun(rows: 42)
    func first(_ settings: String...) throws -> (loss: Double, norm: Double, found: [Double]) {
      let spec = try tiny.spec(
        adapter: "prompt-tuning",
        settings + ["training.epochs=1", "tasks.0.head.dropout=0", "tasks.0.head.class_weights=[positive=3]"])
      var steps: [StepReport] = []
      func run() throws -> TrainingRun {
        try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
      }
      _ = try Trainer(try run()) { if case .step(let step) = $0 { steps.append(step) } }
        .train(resume: false) { false }
      let found = try LearningRateFinder(try run(), steps: 3).find { _ in true }
      return (try #require(steps.first).loss, steps[0].gradientNorm, found.points.map(\.loss))
    }
    let whole = try first("training.batch_size=42")
    // Four batches of ten and one of two.
    let parts = try first("training.batch_size=10", "training.accumulation=5")
    #expect(abs(whole.loss - parts.loss) < 1e-5)
    #expect(abs(whole.norm - parts.norm) < 1e-4 * whole.norm)
    #expect(whole.found.count == 3)
    for (a, b) in zip(whole.found, parts.found) { #expect(abs(a - b) < 1e-4) }
  }
}
