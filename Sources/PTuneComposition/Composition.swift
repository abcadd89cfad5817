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
  /// How much its loss counts beside those of other tasks.
  public var weight = 1.0

  /// A task with a head and its data.
  package init(name: String, head: ComponentChoice, data: DataSpec, weight: Double = 1.0) {
    self.name = name
    self.head = head
    self.data = data
    self.weight = weight
  }

  /// The head's labels; empty for a head without.
  package var labels: [String] {
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
  /// How the base model reads conversations.
  public let chat: ChatTemplates
  /// The tuning method and its hyperparameters.
  public let adapter: ComponentChoice
  /// Further tuning methods that work together with it, in this order.
  public let further: [ComponentChoice]
  /// All tuning methods, in their order.
  public var adapters: [ComponentChoice] { [adapter] + further }
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
  /// Whether the model sees which of two texts a token is of; if not, all have the type 0.
  package let usesTokenTypes: Bool
  /// A token that takes no position.
  let uncountedToken: Int32?
  let pieces: PieceCache

  fileprivate init(
    model: Model, modelFolder: String, modelName: String, checkpoint: ModelCheckpoint, base: ComponentChoice,
    tokenizer: any Tokenizer, chat: ChatTemplates, adapters: [ComponentChoice], selector: ComponentChoice?,
    tasks: [ComposedTask], plugins: [UsedPlugin], maximumLength: Int, usesTokenTypes: Bool,
    uncountedToken: Int32?
  ) {
    self.model = model
    self.modelFolder = modelFolder
    self.modelName = modelName
    self.checkpoint = checkpoint
    self.base = base
    self.tokenizer = tokenizer
    self.chat = chat
    pieces = PieceCache(tokenizer)
    adapter = adapters[0]
    further = Array(adapters.dropFirst())
    self.selector = selector
    self.tasks = tasks
    self.plugins = plugins
    self.maximumLength = maximumLength
    self.usesTokenTypes = usesTokenTypes
    self.uncountedToken = uncountedToken
  }

  /// Encodes rows of a task: laid out as sequences, with the head's targets where there is a label.
  ///
  /// - Parameter keepingRows: whether examples keep their rows, for evaluations.
  /// - Throws: ``TrainingError/row(path:line:reason:)`` for a label that the head refuses.
  package func encode(
    _ rows: [TokenizedRow], task: Int, path: String, keepingRows: Bool = false
  ) throws -> [EncodedExample] {
    try rows.map { try encode($0, task: task, path: path, keepingRow: keepingRows) }
  }

  func encode(
    _ row: TokenizedRow, task: Int, path: String, keepingRow: Bool = false
  ) throws -> EncodedExample {
    let laidOut = try layOut(row, task: task, path: path)
    var targets: TargetCollector?
    if row.fields["label"] != nil || reading(task: task) == .continuedText {
      do {
        targets = try model.encode(laidOut.row, task: task)
      } catch let failure as EngineFailure {
        throw TrainingError.row(path: path, line: row.line, reason: failure.reason)
      }
    }
    return laidOut.example(
      line: row.line, integers: targets?.integers ?? [], numbers: targets?.numbers ?? [],
      source: keepingRow ? row : nil)
  }

  /// A packed batch of examples of one task.
  package func batch(_ examples: some Sequence<EncodedExample>, task: Int, training: Bool) -> PackedBatch {
    batch(examples.map { (task, $0) }, training: training)
  }

  /// A packed batch of examples; those of a task have to stand together.
  package func batch(_ examples: [(task: Int, example: EncodedExample)], training: Bool) -> PackedBatch {
    PackedBatch(
      examples: examples.map { $1.sequences(task: $0, hasTypes: usesTokenTypes) }, training: training,
      uncountedToken: uncountedToken)
  }
}

extension EncodedExample {
  /// Its sequences as a batch takes them, the targets with the first.
  fileprivate func sequences(task: Int, hasTypes: Bool) -> [PackedBatch.Sequence] {
    offsets.indices.dropLast().map { index in
      let range = Int(offsets[index])..<Int(offsets[index + 1])
      return PackedBatch.Sequence(
        tokens: Array(tokens[range]), tokenTypes: range.map { hasTypes ? types[$0] : 0 }, task: Int32(task),
        integers: index == 0 ? integers : [], numbers: index == 0 ? numbers : [],
        marks: index == 0 ? marks : [], context: contexts.isEmpty ? nil : contexts[index], padding: padding)
    }
  }
}

/// What a composition is made from.
package struct Blueprint {
  package var base: ComponentChoice?
  var modelName: String
  var modelFolder: String
  /// The folder of a tokenizer in the place of the model's.
  package var tokenizerFolder: String?
  package var adapter: ComponentChoice
  /// Further ones that work together with it, in this order.
  package var further: [ComponentChoice] = []
  /// The adapters that are switched off.
  var without: Set<String> = []
  package var selector: ComponentChoice?
  /// Where the run file names the adapter and the selector.
  var places: (adapter: RunPlace?, selector: RunPlace?) = (nil, nil)
  package var tasks: [ComposedTask]
  package var maximumLength: Int?
  /// Whether the model sees which of two texts a token is of.
  package var usesTokenTypes = true
  /// A token that takes no position.
  var uncountedToken: Int32?
  var threads: Int
  var compute: ComputePrecision
  var seed: UInt64

  /// A blueprint; what is not given is not used.
  package init(
    base: ComponentChoice? = nil, modelName: String, modelFolder: String, tokenizerFolder: String? = nil,
    adapter: ComponentChoice, further: [ComponentChoice] = [], without: Set<String> = [],
    selector: ComponentChoice? = nil,
    places: (adapter: RunPlace?, selector: RunPlace?) = (nil, nil), tasks: [ComposedTask],
    maximumLength: Int? = nil, usesTokenTypes: Bool = true, uncountedToken: Int32? = nil, threads: Int,
    compute: ComputePrecision, seed: UInt64
  ) {
    self.base = base
    self.modelName = modelName
    self.modelFolder = modelFolder
    self.tokenizerFolder = tokenizerFolder
    self.adapter = adapter
    self.further = further
    self.without = without
    self.selector = selector
    self.places = places
    self.tasks = tasks
    self.maximumLength = maximumLength
    self.usesTokenTypes = usesTokenTypes
    self.uncountedToken = uncountedToken
    self.threads = threads
    self.compute = compute
    self.seed = seed
  }
}

/// Puts compositions together.
package struct Composer {
  let factory: ComponentFactory
  let blueprint: Blueprint
  let checkpoint: ModelCheckpoint
  package let tokenizer: any Tokenizer
  package let chat: ChatTemplates

  /// Opens the model's files.
  ///
  /// - Parameter checkpoint: those that were opened before.
  /// - Throws: errors of the model's files, or of its tokenizer.
  package init(factory: ComponentFactory, blueprint: Blueprint, checkpoint: ModelCheckpoint? = nil) throws {
    self.factory = factory
    self.blueprint = blueprint
    self.checkpoint = try checkpoint ?? ModelCheckpoint(folder: blueprint.modelFolder)
    let folder = blueprint.tokenizerFolder
    tokenizer = try MissingTokenizer.orTokenizer(
      of: self.checkpoint, folder: folder ?? blueprint.modelFolder)
    chat = ChatTemplates(folders: (folder.map { [$0] } ?? []) + [blueprint.modelFolder], tokenizer: tokenizer)
  }

  /// The same files for a changed blueprint.
  package init(_ other: Composer, with blueprint: Blueprint) {
    factory = other.factory
    checkpoint = other.checkpoint
    tokenizer = other.tokenizer
    chat = other.chat
    self.blueprint = blueprint
  }

  /// Creates the components.
  ///
  /// - Parameter counts: how often tokens occur in the training data.
  /// - Throws: `UnknownComponentError`, `Rejection`, `HyperparameterError`, `EngineFailure` or ``TrainingError``.
  package func compose(
    counts: TokenCounts, log: @escaping (_ level: Int32, _ message: String) -> Void
  ) throws -> Composition {
    let (basePlugin, chosenBase) = try factory.loadBase(blueprint.base, of: checkpoint)
    let chosen = [blueprint.adapter] + blueprint.further
    let adapterPlugins = try chosen.map { try factory.load(.adapter, $0) }
    let selectorPlugin = try blueprint.selector.map { ($0, try factory.load(.selector, $0)) }
    let headPlugins = try blueprint.tasks.map { try factory.load(.taskHead, $0.head) }
    let base = try factory.complete(basePlugin, chosenBase)
    let adapters = try zip(adapterPlugins, chosen).map { try factory.complete($0, $1) }
    let selector = try selectorPlugin.map { choice, plugin in try factory.complete(plugin, choice) }
    let tasks = try zip(headPlugins, blueprint.tasks).map { plugin, task in
      ComposedTask(
        name: task.name, head: try factory.complete(plugin, task.head), data: task.data, weight: task.weight)
    }

    let session = Session(
      threads: ThreadPool(count: blueprint.threads), seed: blueprint.seed, precision: blueprint.compute)
    session.log = log
    blueprint.compute.announce(log)
    let model = Model(session: session)
    try factory.setBase(
      of: model, basePlugin, base, checkpoint, tokenizer, folder: blueprint.modelFolder, counts: counts)
    model.setTasks(
      tasks.map {
        TaskFacts(name: $0.name, labels: $0.labels, wordAtMask: $0.data.wordAtMask(tokenizer))
      })
    for (plugin, adapter) in zip(adapterPlugins, adapters) {
      let owner = adapter == adapters[0] ? "adapter" : Self.furtherOwner + adapter.plugin
      try model.addAdapter(
        factory.identity(plugin, owner: owner), isActive: !blueprint.without.contains(adapter.plugin)
      ) { try factory.adapter(plugin, adapter, $0) }
    }
    for task in tasks {
      try task.data.checkTemplate(
        adapter: adapters.map(\.plugin).joined(separator: ", "), virtualTokens: model.adapterPositions)
    }
    try checkSelector(model)
    if let selector, let (_, plugin) = selectorPlugin {
      try model.setSelector(factory.identity(plugin, owner: "selector")) {
        try factory.selector(plugin, selector, $0)
      }
    }
    for (plugin, task) in zip(headPlugins, tasks) {
      try model.addHead(factory.identity(plugin, owner: "head.\(task.name)")) {
        try factory.head(plugin, task.head, $0)
      }
    }
    return Composition(
      model: model, modelFolder: blueprint.modelFolder, modelName: blueprint.modelName,
      checkpoint: checkpoint,
      base: base, tokenizer: tokenizer, chat: chat, adapters: adapters, selector: selector,
      tasks: tasks,
      plugins: factory.used, maximumLength: try maximumLength(model),
      usesTokenTypes: blueprint.usesTokenTypes, uncountedToken: blueprint.uncountedToken)
  }

  /// Stands before the name of an adapter that is not the first, where it owns parameters.
  package static let furtherOwner = "adapter."

  /// A run names a selector exactly if its adapter asks one.
  ///
  /// - Throws: ``TrainingError/noSelector(_:adapter:known:)`` or ``TrainingError/unusable(_:help:)``.
  private func checkSelector(_ model: Model) throws {
    let names = ([blueprint.adapter] + blueprint.further).map(\.plugin).joined(separator: ", ")
    let adapter =
      model.selectorAsker.map {
        $0.hasPrefix(Self.furtherOwner)
          ? String($0.dropFirst(Self.furtherOwner.count)) : blueprint.adapter.plugin
      } ?? names
    switch (model.asksSelector, blueprint.selector) {
    case (true, nil):
      throw TrainingError.noSelector(
        blueprint.places.adapter, adapter: adapter,
        known: factory.registry.inventory.components.filter { $0.kind == .selector }.map(\.name).sorted())
    case (false, .some):
      let place = blueprint.places.selector.map { "\($0): " } ?? ""
      throw TrainingError.unusable(
        "\(place)the adapter '\(adapter)', as it is set, asks no selector",
        help: "remove the 'selector' section")
    default: break
    }
  }

  private func maximumLength(_ model: Model) throws -> Int {
    guard let facts = model.facts else { return blueprint.maximumLength ?? .max }
    let free = facts.positions - model.adapterPositions
    // A text needs at least its special tokens and one piece.
    guard free > tokenizer.template.specialCount(pair: false) else {
      throw TrainingError.noRoom(positions: facts.positions, virtual: model.adapterPositions)
    }
    return min(blueprint.maximumLength ?? .max, free)
  }
}

extension ComponentFactory {
  /// Loads the base model's component: the one that is chosen, else the one that the checkpoint's config.json asks for.
  ///
  /// - Throws: `UnknownComponentError`, `Rejection` or ``TrainingError``.
  package func loadBase(
    _ chosen: ComponentChoice?, of checkpoint: ModelCheckpoint
  ) throws -> (LoadedComponent, ComponentChoice) {
    if let chosen { return (try load(.baseModel, chosen), chosen) }
    let config = checkpoint.config
    guard let type = config.modelType else { throw TrainingError.noModelType(config: config.path) }
    let choice = ComponentChoice(plugin: type)
    do {
      return (try load(.baseModel, choice), choice)
    } catch let error as UnknownComponentError where error.changed == nil && error.lock == nil {
      throw TrainingError.unknownModelType(config: config.path, type: type, known: error.known)
    }
  }

  /// Creates the base model of a model.
  ///
  /// - Throws: ``TrainingError`` where the model's files do not suit the plugin or the tokenizer.
  package func setBase(
    of model: Model, _ plugin: LoadedComponent, _ choice: ComponentChoice, _ checkpoint: ModelCheckpoint,
    _ tokenizer: any Tokenizer, folder: String, counts: TokenCounts
  ) throws {
    do {
      try model.setBase(
        identity(plugin, owner: "base"), checkpoint: checkpoint,
        tokenize: { tokenizer.pieces($0).map(\.id) },
        frequentTokens: { [weak model] limit in
          counts.mostFrequent(limit, tokenizer: tokenizer, below: model?.facts?.vocabularySize)
        },
        specialToken: { tokenizer.specialTokens[$0] }
      ) { try baseModel(plugin, choice, $0) }
    } catch let failure as EngineFailure {
      let known = registry.inventory.components.filter { $0.kind == .baseModel }.map(\.name)
      throw TrainingError.base(
        folder: folder, component: failure.component, reason: failure.reason,
        otherType: checkpoint.config.modelType.flatMap {
          $0 == choice.plugin ? nil : OtherModelType(type: $0, chosen: choice.plugin, known: known)
        })
    }
  }
}
