import PTuneEngine
import PTunePlugins
import PTuneTesting
import Testing

@Suite("The plugin residual-prompt-tuning") struct ResidualPromptTuningTests {
  private static let (rows, columns, inner) = (3, 16, 5)

  private func model(_ more: [String: HyperparameterValue] = [:]) throws -> Model {
    try TwinBench.model(
      adapter: "residual-prompt-tuning",
      ["virtual_tokens": .int(Self.rows), "bottleneck": .int(Self.inner)].merging(more) { $1 })
  }

  private func injected(_ model: Model) throws -> [[Float]] {
    let matrices = try model.injectedRows(.forTesting(lengths: [4], training: false))
    #expect(matrices.map(\.name) == ["input"])
    return matrices[0].rows
  }

  /// P + norm(W₂·relu(W₁·P + b₁) + b₂), in double precision.
  private func expected(_ model: Model, normalizes: Bool) throws -> [[Double]] {
    func values(_ name: String) throws -> [Double] {
      let parameter = try TwinBench.parameter(name, of: model)
      return (0..<parameter.count).map { Double(parameter.values[$0]) }
    }
    func linear(_ x: [Double], _ name: String, _ outputs: Int) throws -> [Double] {
      let (weight, bias) = (try values("\(name).weight"), try values("\(name).bias"))
      return (0..<outputs).map { output in
        x.indices.reduce(bias[output]) { $0 + weight[output * x.count + $1] * x[$1] }
      }
    }
    let prompt = try values("prompt_embeddings")
    return try (0..<Self.rows).map { row in
      let own = Array(prompt[row * Self.columns..<(row + 1) * Self.columns])
      let inner = try linear(own, "mlp.down", Self.inner).map { max(0, $0) }
      var made = try linear(inner, "mlp.up", Self.columns)
      if normalizes {
        let mean = made.reduce(0, +) / Double(made.count)
        let variance = made.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(made.count)
        let (gain, bias) = (try values("mlp.norm.weight"), try values("mlp.norm.bias"))
        made = made.indices.map { (made[$0] - mean) / (variance + 1e-5).squareRoot() * gain[$0] + bias[$0] }
      }
      return zip(own, made).map(+)
    }
  }

  @Test("its rows are P + Φ(P), as the formula has it", arguments: [true, false])
  func values(_ normalizes: Bool) throws {
    let model = try model(["layer_norm": .bool(normalizes)])
    TwinBench.fill(model)
    let expected = try expected(model, normalizes: normalizes)
    for (own, row) in zip(try injected(model), expected) {
      #expect(own.count == row.count && zip(own, row).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    }
  }

  @Test("what is saved is the rows alone, which give the same scores without the network")
  func folds() throws {
    let trained = try model()
    TwinBench.fill(trained)
    let (tensors, changed) = try trained.exportAdapter()
    #expect(tensors.map(\.name) == ["prompt_embeddings"])
    #expect(changed.map(\.name) == ["encoder"] && changed.map(\.json) == ["\"none\""])
    let folded = try model(["encoder": .string("none")])
    let prompt = try TwinBench.parameter("prompt_embeddings", of: folded)
    for (index, value) in tensors[0].values.enumerated() { prompt.values[index] = value }
    #expect(try TwinBench.difference(trained, folded) < 1e-6)
  }

  @Test("it trains P·H numbers and the network's, and takes P positions")
  func counts() throws {
    let model = try model()
    let network = 2 * Self.columns * Self.inner + Self.inner + Self.columns
    #expect(TwinBench.trainedCount(model) == Self.rows * Self.columns + network + 2 * Self.columns)
    #expect(model.adapterPositions == Self.rows)
    #expect(TwinBench.trainedCount(try self.model(["encoder": .string("none")])) == Self.rows * Self.columns)
  }

  @Test("the gradients of the prompt and of the network are those of the loss", arguments: [true, false])
  func gradients(_ normalizes: Bool) throws {
    let model = try model(["layer_norm": .bool(normalizes)])
    TwinBench.fill(model)
    let report = try GradientCheck().run(model, on: .forTesting(lengths: [5, 2, 7]))
    #expect(report.entries.count { $0.owner == "adapter" } == (normalizes ? 7 : 5))
    // relu has kinks, which a difference may meet in a few directions.
    let own = report.entries.filter { $0.owner == "adapter" }
    #expect(own.allSatisfy { $0.typicalDifference <= report.tolerance }, "\(report)")
  }
}
