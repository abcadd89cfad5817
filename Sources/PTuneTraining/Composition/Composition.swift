import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText

/// A task as it is composed: its head and how its rows are read.
public struct ComposedTask: Sendable {
  /// Its name.
  public let name: String
  /// Its head; with every hyperparameter spelled out once it is composed.
  public let head: ComponentChoice
  /// How rows are read; paths in it may be empty.
  public let data: DataSpec

  /// The head's labels; empty for a head without.
  var labels: [String] {
    if case .strings(let labels)? = head.hyperparameters["labels"] { labels } else { [] }
  }
}

/// A base model, perhaps a selector, an adapter and heads, put together from plugins, and what is needed to feed
/// them.
public final class Composition {
  /// What computes.
  public let model: Model
  /// The base model's folder.
  public let modelFolder: String
  /// The base model as the user named it.
  public let modelName: String
  /// The base model's files.
  public let checkpoint: ModelCheckpoint
  /// The base model's component.
  public let base: ComponentChoice
  /// Cuts text into pieces.
  public let tokenizer: any Tokenizer
  /// The tuning method and its hyperparameters.
  public let adapter: ComponentChoice
  /// What weighs the adapter's pool; nil for an adapter without one.
  public let selector: ComponentChoice?
  /// The learning rate that the adapter recommends for AdamW; nil if it does not say.
  public var recommendedLearningRate: Double? { model.recommendedLearningRate }
  /// The tasks.
  public let tasks: [ComposedTask]
  /// The plugins in use.
  public let plugins: [UsedPlugin]
  /// Tokens that a text may have, special tokens included.
  public let maximumLength: Int

  fileprivate init(
    model: Model, modelFolder: String, modelName: String, checkpoint: ModelCheckpoint, base: ComponentChoice,
    tokenizer: any Tokenizer, adapter: ComponentChoice, selector: ComponentChoice?,
    tasks: [ComposedTask], plugins: [UsedPlugin], maximumLength: Int
  ) {
    self.model = model
    self.modelFolder = modelFolder
    self.modelName = modelName
    self.checkpoint = checkpoint
    self.base = base
    self.tokenizer = tokenizer
    self.adapter = adapter
    self.selector = selector
    self.tasks = tasks
    self.plugins = plugins
    self.maximumLength = maximumLength
  }

  /// Encodes rows of a task: tokens with special tokens, cut to length, and the head's targets where there is a label.
  ///
  /// - Throws: ``TrainingError/row(path:line:reason:)`` for a label that the head refuses.
  func encode(_ rows: [TokenizedRow], task: Int, path: String) throws -> [EncodedExample] {
    try rows.map { try encode($0, task: task, path: path) }
  }

  func encode(_ row: TokenizedRow, task: Int, path: String) throws -> EncodedExample {
    let (example, dropped) = try exampleRow(row, path: path)
    var targets: TargetCollector?
    if row.fields["label"] != nil {
      do {
        targets = try model.encode(example.row, task: task)
      } catch let failure as EngineFailure {
        throw TrainingError.row(path: path, line: row.line, reason: failure.reason)
      }
    }
    return EncodedExample(
      tokens: example.ids, types: example.types, integers: targets?.integers ?? [],
      numbers: targets?.numbers ?? [], line: row.line, dropped: dropped)
  }

  /// A row as the model and as a head read it, and how many pieces did not fit.
  func exampleRow(
    _ row: TokenizedRow, path: String
  ) throws -> ((row: ExampleRow, ids: [Int32], types: [Int32]), dropped: Int) {
    switch row.content {
    case .pieces(let first, let second):
      let encoding = try tokenizer.encode(pieces: first, pair: second, maximumLength: maximumLength)
      return ((ExampleRow(encoding, fields: row.fields), encoding.ids, encoding.types), encoding.dropped)
    case .tokens(let given):
      // Which tokens could be cut only the one who made them knows.
      guard given.ids.count <= maximumLength else {
        throw TrainingError.row(
          path: path, line: row.line,
          reason: "'\(GivenTokens.idsColumn)' has \(given.ids.count) ids; at most \(maximumLength) fit")
      }
      let outside = given.ids.map { _ in (field: Int(Encoding.special), range: 0..<0) }
      return ((ExampleRow(fields: row.fields, tokens: given.ids, spans: outside), given.ids, given.types), 0)
    }
  }

  /// A packed batch of examples of one task.
  func batch(_ examples: some Sequence<EncodedExample>, task: Int, training: Bool) -> PackedBatch {
    PackedBatch(
      examples.map {
        PackedBatch.Sequence(
          tokens: $0.tokens, tokenTypes: $0.types, task: Int32(task), integers: $0.integers,
          numbers: $0.numbers)
      }, training: training)
  }
}

extension ExampleRow {
  /// A row as a head sees it.
  convenience init(_ encoding: Encoding, fields: [String: String]) {
    self.init(
      fields: fields, tokens: encoding.ids,
      spans: encoding.ids.indices.map {
        (Int(encoding.sources[$0]), Int(encoding.begins[$0])..<Int(encoding.ends[$0]))
      })
  }
}

/// What a composition is made from.
struct Blueprint {
  var base: ComponentChoice?
  var modelName: String
  var modelFolder: String
  var adapter: ComponentChoice
  var selector: ComponentChoice?
  var tasks: [ComposedTask]
  var maximumLength: Int?
  var threads: Int
  var seed: UInt64
}

/// Puts compositions together.
struct Composer {
  let factory: ComponentFactory
  let blueprint: Blueprint
  let checkpoint: ModelCheckpoint
  let tokenizer: any Tokenizer

  /// Opens the model's files.
  ///
  /// - Throws: errors of the model's files, or of its tokenizer.
  init(factory: ComponentFactory, blueprint: Blueprint) throws {
    self.factory = factory
    self.blueprint = blueprint
    checkpoint = try ModelCheckpoint(folder: blueprint.modelFolder)
    tokenizer = try TokenizerLoader.load(blueprint.modelFolder)
  }

  /// The same files for a changed blueprint.
  init(_ other: Composer, with blueprint: Blueprint) {
    factory = other.factory
    checkpoint = other.checkpoint
    tokenizer = other.tokenizer
    self.blueprint = blueprint
  }

  /// Creates the components.
  ///
  /// - Parameter counts: how often tokens occur in the training data.
  /// - Throws: `UnknownComponentError`, `Rejection`, `HyperparameterError`, `EngineFailure` or ``TrainingError``.
  func compose(
    counts: TokenCounts, log: @escaping (_ level: Int32, _ message: String) -> Void
  ) throws -> Composition {
    let chosenBase = try blueprint.base ?? inferredBase()
    let basePlugin = try factory.load(.baseModel, chosenBase)
    let adapterPlugin = try factory.load(.adapter, blueprint.adapter)
    let selectorPlugin = try blueprint.selector.map { ($0, try factory.load(.selector, $0)) }
    let headPlugins = try blueprint.tasks.map { try factory.load(.taskHead, $0.head) }
    let base = try factory.complete(basePlugin, chosenBase)
    let adapter = try factory.complete(adapterPlugin, blueprint.adapter)
    let selector = try selectorPlugin.map { choice, plugin in try factory.complete(plugin, choice) }
    let tasks = try zip(headPlugins, blueprint.tasks).map { plugin, task in
      ComposedTask(name: task.name, head: try factory.complete(plugin, task.head), data: task.data)
    }

    let session = Session(threads: ThreadPool(count: blueprint.threads), seed: blueprint.seed)
    session.log = log
    let model = Model(session: session)
    let tokenizer = tokenizer
    do {
      try model.setBase(
        factory.identity(basePlugin, owner: "base"), checkpoint: checkpoint,
        tokenize: { tokenizer.pieces($0).map(\.id) },
        frequentTokens: { counts.mostFrequent($0, tokenizer: tokenizer) }
      ) { try factory.baseModel(basePlugin, base, $0) }
    } catch let failure as EngineFailure {
      throw TrainingError.base(
        folder: blueprint.modelFolder, component: failure.component, reason: failure.reason)
    }
    model.setTasks(tasks.map { TaskFacts(name: $0.name, labels: $0.labels) })
    if let selector, let (_, plugin) = selectorPlugin {
      try model.setSelector(factory.identity(plugin, owner: "selector")) {
        try factory.selector(plugin, selector, $0)
      }
    }
    try model.setAdapter(factory.identity(adapterPlugin, owner: "adapter")) {
      try factory.adapter(adapterPlugin, adapter, $0)
    }
    for (plugin, task) in zip(headPlugins, tasks) {
      try model.addHead(factory.identity(plugin, owner: "head.\(task.name)")) {
        try factory.head(plugin, task.head, $0)
      }
    }
    return Composition(
      model: model, modelFolder: blueprint.modelFolder, modelName: blueprint.modelName,
      checkpoint: checkpoint,
      base: base, tokenizer: tokenizer, adapter: adapter, selector: selector,
      tasks: tasks,
      plugins: factory.used, maximumLength: try maximumLength(model))
  }

  private func inferredBase() throws -> ComponentChoice {
    guard let type = checkpoint.config.modelType else {
      throw TrainingError.noModelType(config: checkpoint.config.path)
    }
    return ComponentChoice(plugin: type)
  }

  private func maximumLength(_ model: Model) throws -> Int {
    guard let facts = model.facts else { return blueprint.maximumLength ?? .max }
    guard tokenizer.vocabularySize <= facts.vocabularySize else {
      throw TrainingError.vocabulary(
        folder: blueprint.modelFolder, tokenizer: tokenizer.vocabularySize, model: facts.vocabularySize)
    }
    let free = facts.positions - model.adapterPositions
    // A text needs at least its special tokens and one piece.
    guard free > tokenizer.template.specialCount(pair: false) else {
      throw TrainingError.noRoom(positions: facts.positions, virtual: model.adapterPositions)
    }
    return min(blueprint.maximumLength ?? .max, free)
  }
}

extension ComponentChoice {
  /// A component of a run file.
  init(_ spec: ComponentSpec) {
    self.init(plugin: spec.plugin.value, hyperparameters: spec.hyperparameters.mapValues { .init($0.value) })
  }
}

extension HyperparameterValue {
  /// A value of a run file.
  init(_ value: RunValue) {
    self =
      switch value {
      case .bool(let value): .bool(value)
      case .int(let value): .int(value)
      case .double(let value): .double(value)
      case .string(let value): .string(value)
      case .strings(let values): .strings(values)
      }
  }
}
