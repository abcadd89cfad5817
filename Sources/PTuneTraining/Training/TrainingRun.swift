import PTuneEngine
import PTuneFormats
import PTunePlugins

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A run made ready: components created, data encoded.
public final class TrainingRun {
  /// What the user asked for.
  public let spec: RunSpec
  /// What was put together.
  public let composition: Composition
  let examples: [TaskExamples]

  /// Reads the data, creates the components and encodes the examples.
  ///
  /// - Parameters:
  ///   - registry: where plugins come from.
  ///   - log: takes messages of components.
  /// - Throws: what is wrong with the model, the data, the plugins or their hyperparameters.
  public init(
    _ spec: RunSpec, registry: PluginRegistry, resolver: ModelResolver = ModelResolver(),
    log: @escaping (_ level: Int32, _ message: String) -> Void
  ) throws {
    guard spec.tasks.count == 1 else {
      throw TrainingError.unusable(
        "this version of ptune trains one task at a time, and the run file has \(spec.tasks.count)",
        help: "make a run file for each task")
    }
    let model = try resolver.resolve(spec.base.model.value)
    let factory = ComponentFactory(registry: registry)
    var blueprint = Blueprint(
      base: spec.base.plugin.map {
        ComponentChoice(
          plugin: $0.value, hyperparameters: spec.base.hyperparameters.mapValues { .init($0.value) })
      }, modelName: spec.base.model.value, modelFolder: model.folder, adapter: ComponentChoice(spec.adapter),
      selector: spec.selector.map { ComponentChoice($0) }, tasks: [],
      maximumLength: spec.training.maximumLength,
      threads: spec.training.threads ?? Self.processorCount, seed: UInt64(spec.training.seed))

    // Unknown components and hyperparameters are told before the data is read, which may take a while.
    try Self.check(.adapter, spec.adapter.plugin, spec.adapter.hyperparameters, registry)
    if let selector = spec.selector {
      try Self.check(.selector, selector.plugin, selector.hyperparameters, registry)
    }
    try Self.checkSelector(spec, registry)
    if let plugin = spec.base.plugin {
      try Self.check(.baseModel, plugin, spec.base.hyperparameters, registry)
    }
    for task in spec.tasks {
      try Self.check(.taskHead, task.head.plugin, task.head.hyperparameters, registry)
    }
    let opened = try Composer(factory: factory, blueprint: blueprint)
    var counts = TokenCounts()
    var rows: [TaskRows] = []
    for task in spec.tasks {
      let read = try TaskRows(
        task.data, tokenizer: opened.tokenizer, reading: try factory.reading(ofHead: task.head.plugin.value))
      counts.add(read.train)
      rows.append(read)
      var head = ComponentChoice(task.head)
      try Self.fillLabels(&head, read, task, factory)
      blueprint.tasks.append(ComposedTask(name: task.name, head: head, data: task.data))
    }
    let composition = try Composer(opened, with: blueprint).compose(counts: counts, log: log)
    examples = try zip(rows, spec.tasks).enumerated().map { index, pair in
      try TaskExamples(pair.0, pair.1.data, task: index, composition: composition)
    }
    // What does not go together comes out in a first pass, before anything is written. It must not use up random
    // numbers of the training.
    let generator = composition.model.session.generator
    defer { composition.model.session.generator = generator }
    for (task, examples) in examples.enumerated() {
      if let example = examples.train.first {
        _ = try composition.model.scores(composition.batch([example], task: task, training: false))
      }
    }
    self.spec = spec
    self.composition = composition
  }

  /// Checks a component of the run against its schema.
  ///
  /// - Throws: `UnknownComponentError`, or ``TrainingError/hyperparameter(_:_:)`` with the place in the run file.
  private static func check(
    _ kind: ComponentKind, _ plugin: Located<String>, _ hyperparameters: [String: Located<RunValue>],
    _ registry: PluginRegistry
  ) throws {
    let schema = try registry.inventory.component(kind, named: plugin.value).schema
    do throws(HyperparameterError) {
      _ = try schema.arguments(from: hyperparameters.mapValues { HyperparameterValue($0.value) })
    } catch {
      throw TrainingError.hyperparameter(hyperparameters[error.parameter]?.place ?? plugin.place, error)
    }
  }

  /// A run names a selector exactly if its adapter asks one.
  ///
  /// - Throws: ``TrainingError/noSelector(_:adapter:known:)`` or ``TrainingError/unusable(_:help:)``.
  private static func checkSelector(_ spec: RunSpec, _ registry: PluginRegistry) throws {
    let adapter = spec.adapter.plugin
    let inventory = registry.inventory
    let asks = try inventory.component(.adapter, named: adapter.value).asksSelector
    if asks, spec.selector == nil {
      throw TrainingError.noSelector(
        adapter.place, adapter: adapter.value,
        known: inventory.components.filter { $0.kind == .selector }.map(\.name).sorted())
    }
    if !asks, let selector = spec.selector {
      throw TrainingError.unusable(
        "\(selector.plugin.place): the adapter '\(adapter.value)' asks no selector",
        help: "remove the 'selector' section")
    }
  }

  /// A head with a list `labels` that the user left empty gets those of the training data.
  private static func fillLabels(
    _ head: inout ComponentChoice, _ rows: TaskRows, _ task: TaskSpec, _ factory: ComponentFactory
  ) throws {
    let description = try factory.registry.inventory.component(.taskHead, named: head.plugin)
    guard description.schema.parameters.contains(where: { $0.name == "labels" && $0.type == .strings }) else {
      return
    }
    switch head.hyperparameters["labels"] {
    case nil, .strings([])?:
      head.hyperparameters["labels"] = .strings(try rows.labels(path: task.data.train.value))
    default: break
    }
  }

  /// Cores of this machine that the process may use.
  static var processorCount: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
