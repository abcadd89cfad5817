import PTune
import PTuneEngine
import PTunePlugins
import PTuneText

/// Where and how a blueprint is put together.
package struct CompositionOptions: Sendable {
  /// The base model as the user named it.
  package var modelName: String
  /// The base model's folder, or its GGUF file.
  package var modelFolder: String
  /// The folder of a tokenizer in the place of the model's.
  package var tokenizerFolder: String?
  /// The adapters that are switched off.
  package var without: Set<String> = []
  /// Where the run file names the first adapter and the selector.
  package var places: (adapter: RunPlace?, selector: RunPlace?) = (nil, nil)
  /// Threads to compute with; nil for all cores.
  package var threads: Int?
  /// What products with the base model's weights round to.
  package var compute: ComputePrecision
  /// What initial values and dropout are drawn from.
  package var seed: UInt64
  /// Bytes of the files of a trained adapter: what its config says may not ask for memory out of all proportion.
  package var storedBytes: Int?

  /// A composition on a base model.
  package init(
    modelName: String, modelFolder: String, threads: Int?, compute: ComputePrecision = .f32, seed: UInt64 = 0
  ) {
    (self.modelName, self.modelFolder) = (modelName, modelFolder)
    (self.threads, self.compute, self.seed) = (threads, compute, seed)
  }
}

/// Puts compositions together.
package struct Composer {
  let factory: ComponentFactory
  private(set) var blueprint: Blueprint<CheckedComponent>
  let options: CompositionOptions
  package let checkpoint: ModelCheckpoint
  package let tokenizer: any Tokenizer
  package let chat: ChatTemplates

  /// Opens the model's files.
  ///
  /// - Parameter checkpoint: those that were opened before.
  /// - Throws: errors of the model's files, or of its tokenizer.
  package init(
    factory: ComponentFactory, blueprint: Blueprint<CheckedComponent>, options: CompositionOptions,
    checkpoint: ModelCheckpoint? = nil
  ) throws {
    (self.factory, self.blueprint, self.options) = (factory, blueprint, options)
    self.checkpoint = try checkpoint ?? ModelCheckpoint(folder: options.modelFolder)
    let own = options.tokenizerFolder
    tokenizer = try MissingTokenizer.orTokenizer(of: self.checkpoint, folder: own ?? options.modelFolder)
    chat = ChatTemplates(folders: (own.map { [$0] } ?? []) + [options.modelFolder], tokenizer: tokenizer)
  }

  /// The same files for a changed blueprint.
  package init(_ other: Composer, with blueprint: Blueprint<CheckedComponent>) {
    self = other
    self.blueprint = blueprint
  }

  /// Creates the components.
  ///
  /// - Parameter counts: how often tokens occur in the training data.
  /// - Throws: `UnknownComponentError`, `Rejection`, `HyperparameterError`, `EngineFailure` or ``CompositionError``.
  package func compose(
    counts: TokenCounts, log: @escaping (_ level: Int32, _ message: String) -> Void
  ) throws -> Composition {
    let base = try factory.loadBase(blueprint.base, of: checkpoint)
    let adapters = try blueprint.adapters.map { try factory.load($0) }
    let selector = try blueprint.selector.map { try factory.load($0) }
    let heads = try blueprint.tasks.map { try factory.load($0.head) }
    let tasks = zip(heads, blueprint.tasks).map { head, task in
      ComposedTask(name: task.name, head: head.choice, data: task.data, weight: task.weight)
    }

    let session = Session(
      threads: ThreadPool(count: options.threads ?? Processors.count), seed: options.seed,
      precision: options.compute)
    session.log = log
    session.mostValues = options.storedBytes.map { max(1 << 24, 16 * min($0, 1 << 48)) }
    options.compute.announce(log)
    let model = Model(session: session)
    try factory.setBase(
      of: model, base, checkpoint, tokenizer, folder: options.modelFolder, counts: counts)
    model.setTasks(
      tasks.map {
        TaskFacts(name: $0.name, labels: $0.labels, wordAtMask: $0.data.wordAtMask(tokenizer))
      })
    let names = adapters.map(\.choice.plugin)
    for (name, adapter) in zip(names, adapters) {
      let owner = name == names[0] ? ParameterOwner.adapter : ParameterOwner.laterAdapter(name)
      try model.addAdapter(
        factory.identity(adapter, owner: owner), isActive: !options.without.contains(name)
      ) { try factory.adapter(adapter, $0) }
    }
    for task in tasks {
      try task.data.checkTemplate(
        adapter: names.joined(separator: ", "), virtualTokens: model.adapterPositions)
    }
    try checkSelector(model, names)
    if let selector {
      try model.setSelector(factory.identity(selector, owner: ParameterOwner.selector)) {
        try factory.selector(selector, $0)
      }
    }
    for (head, task) in zip(heads, tasks) {
      try model.addHead(factory.identity(head, owner: ParameterOwner.head(task.name))) {
        try factory.head(head, $0)
      }
    }
    return Composition(
      model: model, modelFolder: options.modelFolder, modelName: options.modelName,
      checkpoint: checkpoint,
      base: base.choice, tokenizer: tokenizer, chat: chat, adapters: adapters.map(\.choice), selector: selector?.choice,
      tasks: tasks,
      plugins: factory.used, maximumLength: try maximumLength(model),
      input: blueprint.input)
  }

  /// A run names a selector if and only if its adapter uses one.
  ///
  /// - Throws: ``CompositionError``.
  private func checkSelector(_ model: Model, _ names: [String]) throws {
    let adapter =
      model.selectorAsker.map { ParameterOwner.laterAdapter(in: $0) ?? names[0] }
      ?? names.joined(separator: ", ")
    switch (model.asksSelector, blueprint.selector) {
    case (true, nil):
      throw CompositionError.noSelector(
        options.places.adapter, adapter: adapter,
        known: factory.registry.inventory.components.filter { $0.kind == .selector }.map(\.name).sorted())
    case (false, .some):
      throw CompositionError.needlessSelector(options.places.selector, adapter: adapter)
    default: break
    }
  }

  private func maximumLength(_ model: Model) throws -> Int {
    guard let facts = model.facts else { return blueprint.maximumLength ?? .max }
    let free = facts.positions - model.adapterPositions
    // A text needs at least its special tokens and one piece.
    guard free > tokenizer.template.specialCount(pair: false) else {
      throw CompositionError.noRoom(positions: facts.positions, virtual: model.adapterPositions)
    }
    return min(blueprint.maximumLength ?? .max, free)
  }
}
