import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneRunFile
import PTuneText

/// A run made ready: components created, data encoded.
public final class TrainingRun {
  /// What the user asked for.
  public let spec: RunSpec
  /// What was put together.
  public let composition: Composition
  /// The examples of each task; a task that was there before has none.
  let examples: [TaskExamples]
  /// Tokens to which texts are cut, if the run says so.
  let maximumLength: Int?

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
    // Unknown components and hyperparameters are told before a model is fetched and data is read, which take a while.
    try spec.check(registry.inventory)
    let model = try resolver.resolve(spec.base.model.value)
    let factory = ComponentFactory(registry: registry)
    var blueprint = Blueprint(
      base: spec.base.plugin.map {
        ComponentChoice(
          plugin: $0.value, hyperparameters: spec.base.hyperparameters.mapValues { .init($0.value) })
      }, modelName: spec.base.model.value, modelFolder: model.folder, adapter: ComponentChoice(spec.adapter),
      further: spec.further.map { ComponentChoice($0) },
      selector: spec.selector.map { ComponentChoice($0) },
      places: (spec.adapter.plugin.place, spec.selector?.plugin.place), tasks: [],
      maximumLength: spec.training.maximumLength,
      threads: spec.training.threads ?? Processors.count, compute: spec.training.compute,
      seed: UInt64(spec.training.seed))
    let extended = try AdapterExtension(spec, resolver: resolver, log: log)
    extended?.extend(&blueprint)
    let before = blueprint.tasks.count
    let start = try StartingAdapter(spec, resolver: resolver, log: log)
    start?.complete(&blueprint)
    let opened = try Composer(
      factory: factory, blueprint: blueprint, checkpoint: start?.opened.checkpoint)
    var counts = TokenCounts()
    var rows: [TaskRows] = []
    for task in spec.tasks {
      let reading = try factory.reading(head: task.head.plugin.value)
      try task.data.checkTemplate(
        opened.tokenizer, model: spec.base.model.value, head: task.head.plugin.value, reading: reading)
      let read = try TaskRows(
        task.data, tokenizer: opened.tokenizer, chat: opened.chat, reading: reading)
      counts.add(read.train)
      rows.append(read)
      var head = ComponentChoice(task.head)
      start?.complete(&head, of: task.name)
      try Self.fillLabels(&head, read, task, factory)
      var data = task.data
      data.hasConversations = read.areConversations
      blueprint.tasks.append(ComposedTask(name: task.name, head: head, data: data, weight: task.weight))
    }
    let composition = try Composer(opened, with: blueprint).compose(counts: counts, log: log)
    try extended?.load(into: composition)
    try start?.load(into: composition)
    examples =
      Array(repeating: .none, count: before)
      + (try zip(rows, spec.tasks).enumerated().map { index, pair in
        try TaskExamples(pair.0, pair.1.data, task: before + index, composition: composition)
      })
    // What does not go together comes out in a first pass, before anything is written. It must not use up random
    // numbers of the training.
    let generator = composition.model.session.generator
    defer { composition.model.session.generator = generator }
    for (task, examples) in examples.enumerated() {
      if let example = examples.train.first {
        _ = try composition.model.scores(composition.batch([example], task: task, training: false))
      }
    }
    composition.model.recomputesLayers = spec.training.recompute == .layers
    self.spec = spec
    self.composition = composition
    maximumLength = blueprint.maximumLength
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
      var separator = ""
      if case .string(let text)? = head.hyperparameters["label_separator"] { separator = text }
      head.hyperparameters["labels"] = .strings(
        try rows.labels(path: task.data.train.value, separator: separator))
    default: break
    }
  }
}
