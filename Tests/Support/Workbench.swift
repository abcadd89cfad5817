import Foundation
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTesting
import PTuneText
import Testing

import PTuneAdapters
import PTuneComposition

/// Compositions of real plugins over tiny checkpoints, and the numbers PyTorch gives for them.
package enum Workbench {
  package static let fixtures =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures"

  /// Where the package manager put the plugins and the program: beside the test bundle.
  package static let built = URL(fileURLWithPath: executablePath() ?? "").deletingLastPathComponent().path

  /// A factory over the plugins of this package.
  package static func factory() -> ComponentFactory {
    let program = "\(built)/ptune"
    return ComponentFactory(
      registry: PluginRegistry(
        host: TestHost.connect(),
        search: PluginSearch(options: [built], environment: [:], executable: program),
        prober: Prober(executable: program, environment: ProcessInfo.processInfo.environment)))
  }

  /// An adapter folder on the base model that it names.
  package static func opened(_ folder: String) throws -> OpenedAdapter {
    try OpenedAdapter(folder, baseModel: nil, resolver: ModelResolver()) { _, _ in }
  }

  /// An adapter folder that PEFT wrote, on the base model of Tests/Fixtures that it names.
  package static func peftRun(
    _ folder: String, base: String? = nil, log: @escaping (Int32, String) -> Void = { _, _ in }
  ) throws -> AdapterRun {
    let document = try JSONValue.read("\(folder)/adapter_config.json")
    let name = document["base_model_name_or_path"]?.stringValue ?? "tiny-bert-classifier"
    return try AdapterRun(
      folder, baseModel: base ?? "\(fixtures)/\(name)", threads: 2,
      registry: factory().registry, log: log)
  }

  /// A composition over a folder of Tests/Fixtures.
  package static func compose(
    checkpoint: String, adapter: ComponentChoice, further: [ComponentChoice] = [],
    without: Set<String> = [], selector: ComponentChoice? = nil, head: ComponentChoice,
    template: String? = nil, threads: Int = 2
  ) throws -> Composition {
    try compose(
      checkpoint: checkpoint, adapter: adapter, further: further, without: without, selector: selector,
      heads: [("task", head)], template: template, threads: threads)
  }

  /// A composition of several tasks.
  package static func compose(
    checkpoint: String, adapter: ComponentChoice, further: [ComponentChoice] = [],
    without: Set<String> = [], selector: ComponentChoice? = nil,
    heads: [(name: String, head: ComponentChoice)], template: String? = nil, threads: Int = 2
  ) throws -> Composition {
    let place = RunPlace.flag("test")
    let data = DataSpec(
      train: Located("", place), validation: nil, test: nil, format: nil, header: nil,
      text: Located("text", place), textPair: nil, label: Located("label", place),
      template: try template.map { Located(try TextTemplate($0), place) }, fields: [:], maximumRows: nil)
    let blueprint = Blueprint(
      base: nil, adapters: [adapter] + further, selector: selector,
      tasks: heads.map { ComposedTask(name: $0.name, head: $0.head, data: data) }, maximumLength: nil,
      input: InputReading())
    var options = CompositionOptions(
      modelName: checkpoint, modelFolder: "\(fixtures)/\(checkpoint)", threads: threads, seed: 1)
    options.without = without
    let factory = factory()
    return try Composer(
      factory: factory, blueprint: factory.registry.inventory.checked(blueprint), options: options
    ).compose(counts: TokenCounts()) { _, _ in }
  }

  /// A model of a base alone, without an adapter, by the plugin that config.json asks for.
  package static func base(checkpoint folder: String) throws -> Model {
    let checkpoint = try ModelCheckpoint(folder: folder)
    return try base(try #require(checkpoint.config.modelType), checkpoint, factory())
  }

  /// A model of a base alone, without an adapter.
  package static func base(
    _ plugin: String, _ checkpoint: any CheckpointSource, _ factory: ComponentFactory
  ) throws -> Model {
    let model = Model(session: Session(threads: ThreadPool(count: 2), seed: 1))
    let choice = ComponentChoice(plugin: plugin)
    let component = try factory.load(.baseModel, choice)
    try model.setBase(
      factory.identity(component, owner: ParameterOwner.base), checkpoint: checkpoint,
      tokenize: { _ in [] }, frequentTokens: { _ in [] }
    ) { try factory.baseModel(component, $0) }
    return model
  }

  package static func cases(_ name: String) -> [FixtureCase] {
    ((try? JSONValue.read("\(fixtures)/\(name).json"))?.arrayValue ?? []).map {
      FixtureCase(file: name, json: $0)
    }
  }
}

/// A case of a fixture file, shown by its name.
package struct FixtureCase: Sendable, CustomTestStringConvertible {
  package let file: String
  package let json: JSONValue

  package var testDescription: String { "\(file) \(json["name"]?.stringValue ?? "")" }

  package func tensors() throws -> SafetensorsFile {
    try SafetensorsFile("\(Workbench.fixtures)/\(file).safetensors")
  }
}

extension JSONValue {
  package func text(_ key: String) throws -> String { try #require(self[key]?.stringValue) }
  package func list(_ key: String) throws -> [JSONValue] { try #require(self[key]?.arrayValue) }
  package func integers(_ key: String) throws -> [Int32] {
    try list(key).map { Int32(try #require($0.intValue)) }
  }
}

/// The largest difference of two lists, relative to the largest value of the second.
package func relativeDifference(_ values: some Collection<Float>, _ expected: some Collection<Float>) -> Float
{
  guard values.count == expected.count else { return .infinity }
  let scale = max(expected.map(abs).max() ?? 0, 1e-6)
  return zip(values, expected).reduce(0) { largest, pair in
    // A comparison with NaN is false: it must not pass for small.
    let difference = abs(pair.0 - pair.1) / scale
    return difference <= largest ? largest : (difference.isNaN ? .infinity : difference)
  }
}

/// The largest difference of two lists.
package func absoluteDifference(_ values: some Collection<Float>, _ expected: some Collection<Float>) -> Float
{
  relativeDifference(values, expected) * max(expected.map(abs).max() ?? 0, 1e-6)
}
