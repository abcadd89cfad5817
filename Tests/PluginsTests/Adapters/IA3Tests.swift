import PTuneEngine
import PTunePlugins
import PTuneTesting
import Testing

@Suite("The plugin ia3") struct IA3Tests {
  /// The tiny transformer with rows of keys and values, and columns of the layers `down`, multiplied by the factors.
  private func merged(_ model: Model) throws -> Model {
    let checkpoint = TinyTransformer.checkpoint(seed: 7)
    for layer in 0..<2 {
      for (name, scalesInputs) in [("key", false), ("value", false), ("down", true)] {
        var (shape, values) = try TwinBench.weight("\(layer).\(name)")
        let factors = try TwinBench.parameter("layers.\(layer).\(name).ia3_l", of: model)
        #expect(factors.shape == (scalesInputs ? [1, shape[1]] : [shape[0], 1]))
        for index in values.indices {
          values[index] *= factors.values[scalesInputs ? index % shape[1] : index / shape[1]]
        }
        checkpoint.add("\(layer).\(name)", shape: shape, values)
      }
    }
    return try TwinBench.base(checkpoint)
  }

  @Test("it computes what the base model does with its weights multiplied by the factors")
  func merges() throws {
    let model = try TwinBench.model(adapter: "ia3")
    TwinBench.fill(model)
    #expect(try TwinBench.difference(model, try merged(model)) < 1e-5)
    #expect(try TwinBench.difference(model, try TwinBench.base()) > 1e-2)
  }

  @Test("it starts as the base model: every factor is 1")
  func start() throws {
    let model = try TwinBench.model(adapter: "ia3")
    #expect(try TwinBench.difference(model, try TwinBench.base()) == 0)
  }

  @Test("it trains 2·H + F numbers a layer, and takes no positions")
  func counts() throws {
    let model = try TwinBench.model(adapter: "ia3")
    #expect(TwinBench.trainedCount(model) == 2 * (2 * 16 + 24))
    #expect(model.adapterPositions == 0)
  }

  @Test("the gradients of its factors are those of the loss")
  func gradients() throws {
    let model = try TwinBench.model(adapter: "ia3")
    TwinBench.fill(model)
    let report = try GradientCheck().run(model, on: .forTesting(lengths: [5, 2, 7]))
    #expect(report.entries.count { $0.owner == "adapter" } == 2 * 3)
    #expect(report.passes, "\(report)")
  }

  @Test("a feed-forward layer that is no target is refused by its name")
  func otherFeedForward() throws {
    let failure = #expect(throws: EngineFailure.self) {
      try TwinBench.model(
        adapter: "ia3",
        ["targets": .strings(["key"]), "feed_forward": .strings(["feed-forward-out"])])
    }
    #expect(
      failure?.reason.contains("layers.0.down, which 'targets' does not") == true, "\(failure?.reason ?? "")")
  }
}
