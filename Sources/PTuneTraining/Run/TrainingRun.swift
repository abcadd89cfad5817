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
  /// How many training rows have each label, of each task whose head has labels.
  public let labelCounts: [(task: String, counts: [(label: String, count: Int)])]
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
    let asked = try spec.blueprint(registry.inventory)
    let model = try resolver.resolve(spec.base.model.value)
    let factory = ComponentFactory(registry: registry)
    let extended = try AdapterExtension(spec, asked, registry.inventory, resolver: resolver, log: log)
    let start = try StartingAdapter(spec, asked, registry.inventory, resolver: resolver, log: log)
    var blueprint = extended?.blueprint ?? start?.blueprint ?? asked
    if extended == nil { blueprint.tasks = [] }
    let before = blueprint.tasks.count
    if let before = extended?.adapter.folder ?? start?.adapter.folder {
      factory.expect(before.plugins, of: before.path, log: log)
    }
    var options = CompositionOptions(
      modelName: spec.base.model.value, modelFolder: model.folder, threads: spec.training.threads,
      compute: spec.training.compute, seed: UInt64(spec.training.seed))
    options.places = (spec.adapters[0].plugin.place, spec.selector?.plugin.place)
    let opened = try Composer(
      factory: factory, blueprint: blueprint, options: options, checkpoint: start?.checkpoint)
    var counts = TokenCounts()
    var rows: [TaskRows] = []
    var labelCounts: [(task: String, counts: [(label: String, count: Int)])] = []
    for (task, given) in zip(spec.tasks, start?.tasks ?? asked.tasks) {
      let reading = try factory.reading(head: task.head.plugin.value)
      try task.data.checkTemplate(
        opened.tokenizer, model: spec.base.model.value, head: task.head.plugin.value, reading: reading)
      let read = try TaskRows(
        task.data, tokenizer: opened.tokenizer, chat: opened.chat, reading: reading, input: blueprint.input)
      counts.add(read.train)
      rows.append(read)
      var head = given.head
      if reading == .labelledText, task.data.text.value == task.data.label.value {
        throw DataError.sameColumn(task.data.label.place, task.data.label.value)
      }
      try Self.fillLabels(&head, read, task, known: opened.checkpoint.config.labels)
      if case .strings(let labels)? = head["labels"] {
        if reading == .labelledText { try read.checkColumns(task.data) }
        labelCounts.append((task.name, read.counts(of: labels, separator: Self.labelSeparator(head))))
      }
      var data = given.data
      data.hasConversations = read.areConversations
      blueprint.tasks.append(
        TaskBlueprint(name: given.name, head: head, data: data, weight: given.weight))
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
    self.labelCounts = labelCounts
    maximumLength = blueprint.maximumLength
  }

  /// A head with a list `labels` that the user left empty gets those of the training data.
  private static func fillLabels(
    _ head: inout CheckedComponent, _ rows: TaskRows, _ task: TaskSpec, known: [String]
  ) throws {
    guard case .strings([])? = head["labels"] else { return }
    let labels = try rows.labels(
      path: task.data.train.value, separator: labelSeparator(head), known: known)
    try head.set("labels", .strings(labels))
  }

  /// What the labels of a row are cut at; empty where a row has one, or a list.
  private static func labelSeparator(_ head: CheckedComponent) -> String {
    if case .string(let text)? = head["label_separator"] { text } else { "" }
  }
}
