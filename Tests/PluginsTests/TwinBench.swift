import PTune
import PTuneComposition
import PTuneEngine
import PTunePlugins
import PTuneTesting
import TestSupport
import Testing

/// Plugins of this package on the tiny transformer in memory, whose weights a test may change.
enum TwinBench {
  /// A bench over the plugins that the package manager built.
  static var bench: PluginBench {
    PluginBench(folders: [Workbench.built], program: "\(Workbench.built)/ptune")
  }

  /// A model of these weights, without an adapter or a head.
  static func base(_ checkpoint: MemoryCheckpoint = TinyTransformer.checkpoint(seed: 7)) throws -> Model {
    let model = Model.forTesting()
    try model.setBase(
      ComponentIdentity(component: "base model tiny", owner: "base"), checkpoint: checkpoint,
      tokenize: { $0.utf8.map { Int32($0) % Int32(TinyTransformer.vocabularySize) } },
      frequentTokens: { Array(0..<Int32(min($0, TinyTransformer.vocabularySize))) }
    ) { _ in try TinyTransformer(causal: false) }
    return model
  }

  /// A model with an adapter plugin and a head in memory.
  static func model(
    adapter name: String, _ hyperparameters: [String: HyperparameterValue] = [:]
  ) throws -> Model {
    let model = try base()
    try bench.useAdapter(ComponentChoice(plugin: name, hyperparameters: hyperparameters), in: model)
    try model.useTwinHead()
    return model
  }

  /// Values of an adapter's parameter by its name.
  static func parameter(_ name: String, of model: Model) throws -> TrainableParameter {
    try #require(model.parameters.first { $0.owner == "adapter" && $0.name == name })
  }

  /// Gives every parameter of the adapter values that differ from all starts.
  static func fill(_ model: Model) {
    var generator = SplitMix64(seed: 11)
    for parameter in model.parameters where parameter.owner == "adapter" {
      for index in 0..<parameter.count { parameter.values[index] += Float(0.2 * generator.normal()) }
    }
  }

  /// A weight of the tiny transformer, row by row.
  static func weight(_ name: String) throws -> (shape: [Int], values: [Float]) {
    let weight = try #require(TinyTransformer.checkpoint(seed: 7).weight(name))
    return (weight.shape, Array(weight.values))
  }

  /// The largest difference of the hidden rows of two models on the same texts.
  static func difference(_ a: Model, _ b: Model) throws -> Float {
    let batch = PackedBatch.forTesting(lengths: [5, 2, 7], training: false)
    let (own, other) = (try a.hiddenRows(batch).values, try b.hiddenRows(batch).values)
    #expect(own.count == other.count && !own.isEmpty)
    return zip(own, other).reduce(0) { max($0, abs($1.0 - $1.1)) }
  }

  /// Number of values that the adapter trains.
  static func trainedCount(_ model: Model) -> Int {
    model.trainedParameters.reduce(0) { $0 + ($1.owner == "adapter" ? $1.count : 0) }
  }
}
