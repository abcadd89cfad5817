import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTesting
import Testing

@Suite("The plugin lora") struct LoRATests {
  private static let rank = 4

  private func model(
    _ targets: [String], alpha: Double = 8, stabilized: Bool = false, dropout: Double = 0
  ) throws -> Model {
    try TwinBench.model(
      adapter: "lora",
      [
        "r": .int(Self.rank), "alpha": .double(alpha), "targets": .strings(targets),
        "rslora": .bool(stabilized), "dropout": .double(dropout),
      ])
  }

  /// The tiny transformer with scale·B·A added to the weights of these sites.
  private func merged(_ sites: [String], of model: Model, scale: Float) throws -> Model {
    let checkpoint = TinyTransformer.checkpoint(seed: 7)
    for site in sites {
      var (shape, values) = try TwinBench.weight(site)
      let a = try TwinBench.parameter("layers.\(site).lora_A.weight", of: model)
      let b = try TwinBench.parameter("layers.\(site).lora_B.weight", of: model)
      #expect(a.shape == [Self.rank, shape[1]] && b.shape == [shape[0], Self.rank])
      for row in 0..<shape[0] {
        for column in 0..<shape[1] {
          let sum = (0..<Self.rank).reduce(Float(0)) {
            $0 + b.values[row * Self.rank + $1] * a.values[$1 * shape[1] + column]
          }
          values[row * shape[1] + column] += scale * sum
        }
      }
      checkpoint.add(site, shape: shape, values)
    }
    return try TwinBench.base(checkpoint)
  }

  @Test("it computes what the base model does with W + α/r·B·A in the place of W")
  func merges() throws {
    let model = try model(["query", "feed-forward-out"])
    TwinBench.fill(model)
    let reference = try merged(["0.query", "1.query", "0.down", "1.down"], of: model, scale: 8.0 / 4)
    #expect(try TwinBench.difference(model, reference) < 1e-5)
    #expect(try TwinBench.difference(model, try TwinBench.base()) > 1e-2)
  }

  @Test("rslora scales by α/√r")
  func stabilized() throws {
    let model = try model(["value"], alpha: 3, stabilized: true)
    TwinBench.fill(model)
    let reference = try merged(["0.value", "1.value"], of: model, scale: 3.0 / 2)
    #expect(try TwinBench.difference(model, reference) < 1e-5)
  }

  @Test("it starts as the base model: A within ±1/√inputs, B zero")
  func start() throws {
    let model = try model(["all-linear"])
    #expect(try TwinBench.difference(model, try TwinBench.base()) == 0)
    let a = try TwinBench.parameter("layers.0.down.lora_A.weight", of: model)
    let bound = 1 / Float(24).squareRoot()
    let values = (0..<a.count).map { a.values[$0] }
    #expect(values.allSatisfy { abs($0) <= bound })
    #expect(values.contains { abs($0) > bound / 2 })
  }

  @Test("it trains r·(inputs + outputs) numbers for each target, and takes no positions")
  func counts() throws {
    let pairs = try model(["query", "value"])
    #expect(TwinBench.trainedCount(pairs) == 2 * 2 * 4 * (16 + 16))
    #expect(pairs.adapterPositions == 0)
    // Four layers of 16 by 16, and the feed-forward network's 16 by 24 both ways.
    #expect(TwinBench.trainedCount(try model(["all-linear"])) == 2 * 4 * (4 * 32 + 2 * 40))
  }

  @Test("the gradients of A and B are those of the loss")
  func gradients() throws {
    let model = try model(["all-linear"])
    TwinBench.fill(model)
    let report = try GradientCheck().run(model, on: .forTesting(lengths: [5, 2, 7]))
    #expect(report.entries.count { $0.owner == "adapter" } == 2 * 2 * 6)
    #expect(report.passes, "\(report)")
  }

  @Test("dropout drops inputs of the deltas in training alone")
  func dropout() throws {
    let model = try model(["value"], dropout: 0.5)
    TwinBench.fill(model)
    let reference = try merged(["0.value", "1.value"], of: model, scale: 2)
    #expect(try TwinBench.difference(model, reference) < 1e-5)
    let (training, evaluation) = (
      try model.loss(.forTesting(lengths: [5, 2], training: true)),
      try model.loss(.forTesting(lengths: [5, 2], training: false))
    )
    #expect(training != evaluation)
  }

  @Test("a target that no layer meets is refused with those that there are")
  func unknownTarget() throws {
    let failure = #expect(throws: EngineFailure.self) { try model(["q_proj"]) }
    #expect(failure?.reason.contains("the base model has no linear layer 'q_proj'") == true)
    #expect(failure?.reason.contains("query") == true)
  }
}
