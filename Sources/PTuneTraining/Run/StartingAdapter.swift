import CPTune
import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTunePlugins
import PTuneRunFile

/// A trained adapter, ptune's own or PEFT's, whose values a run starts from.
///
/// The run names the same components. What it does not say of their hyperparameters is what the adapter has, and what
/// it says may not change the shapes of what is trained.
struct StartingAdapter {
  /// What the adapter consists of, with what the run says instead; without tasks.
  let blueprint: Blueprint<CheckedComponent>
  /// The run's tasks, with the heads of those that they go on with.
  let tasks: [TaskBlueprint<CheckedComponent>]
  let adapter: ContinuedAdapter
  /// What each of the run's tasks is called in the adapter: it is the only one, or has the same name.
  private let names: [String: String]
  private let encoder: Encoder

  /// The base model's files, as the adapter wants them.
  var checkpoint: ModelCheckpoint { adapter.opened.checkpoint }

  /// What training goes on with.
  private enum Encoder {
    /// The virtual tokens themselves.
    case none
    /// What made them.
    case kept
    /// The virtual tokens, though the run asks for what made them.
    case gone
  }

  /// Reads the adapter that the run starts from; nil if it starts from none.
  ///
  /// - Throws: ``TrainingError`` if the run does not fit the adapter, and what is wrong with its files.
  init?(
    _ spec: RunSpec, _ asked: Blueprint<CheckedComponent>, _ inventory: PluginInventory,
    resolver: ModelResolver, log: (_ level: Int32, _ message: String) -> Void
  ) throws {
    guard let path = spec.startFrom else { return nil }
    adapter = try ContinuedAdapter(path, spec, resolver: resolver, log: log)
    let folder = adapter.folder
    try adapter.check("selector", spec.selector, folder.selector)
    let matched = try Self.match(spec.tasks, adapter)
    names = Dictionary(uniqueKeysWithValues: zip(spec.tasks.map(\.name), matched.map(\.name)))
    tasks = try zip(asked.tasks, matched).map { given, own in
      var head = try inventory.checked(.taskHead, own.head)
      head.take(given.head)
      return TaskBlueprint(name: given.name, head: head, data: given.data, weight: given.weight)
    }
    encoder = try Self.encoder(folder, asked.adapters[0], inventory, log)
    blueprint = try Self.blueprint(folder, asked, encoder, inventory)
  }

  /// The adapter's tasks that those of the run go on with.
  private static func match(_ given: [TaskSpec], _ adapter: ContinuedAdapter) throws -> [ComposedTask] {
    let folder = adapter.folder
    let names = folder.tasks.map(\.name).joined(separator: ", ")
    guard given.count == folder.tasks.count else {
      throw adapter.refused(
        "\(folder.path) has the tasks \(names), and the run \(given.count) of them",
        help: "name as many tasks; 'extend' adds tasks to an adapter")
    }
    return try given.map { task in
      guard
        let own = folder.tasks.count == 1
          ? folder.tasks[0] : folder.tasks.first(where: { $0.name == task.name })
      else {
        throw adapter.refused(
          "\(folder.path) has no task '\(task.name)', but \(names)", help: "give the run's tasks these names")
      }
      try adapter.check("head of task '\(task.name)'", task.head, own.head)
      return own
    }
  }

  private static func encoder(
    _ folder: AdapterFolder, _ asked: CheckedComponent, _ inventory: PluginInventory,
    _ log: (_ level: Int32, _ message: String) -> Void
  ) throws -> Encoder {
    guard let encoder = folder.encoder else { return .none }
    let unfolded = try inventory.checked(
      .adapter, ComponentChoice(plugin: asked.description.name, hyperparameters: encoder.hyperparameters))
    guard encoder.hyperparameters.keys.allSatisfy({ !asked.given.contains($0) || asked[$0] == unfolded[$0] })
    else { return .none }
    if try folder.encoderIsCurrent() { return .kept }
    log(
      Int32(PTUNE_LOG_WARNING),
      "\(folder.path): its virtual tokens are not those that \(FoldedEncoder.fileName) makes, or that file is gone; "
        + "training goes on with the virtual tokens themselves")
    return .gone
  }

  private static func blueprint(
    _ folder: AdapterFolder, _ asked: Blueprint<CheckedComponent>, _ encoder: Encoder,
    _ inventory: PluginInventory
  ) throws -> Blueprint<CheckedComponent> {
    var own = folder.blueprint
    own.tasks = []
    let folded = folder.encoder?.hyperparameters ?? [:]
    if case .kept = encoder { own.adapters[0].hyperparameters.merge(folded) { $1 } }
    var blueprint = try inventory.checked(own)
    for (index, given) in asked.adapters.enumerated() {
      var kept: Set<String> = []
      if case .gone = encoder, index == 0 { kept = Set(folded.keys) }
      blueprint.adapters[index].take(given, except: kept)
    }
    if let given = asked.selector { blueprint.selector?.take(given) }
    blueprint.base = asked.base ?? blueprint.base
    blueprint.maximumLength = asked.maximumLength ?? blueprint.maximumLength
    return blueprint
  }

  /// Loads the trained values.
  ///
  /// - Throws: ``TrainingError/otherShapes(adapter:tensor:reason:)`` where they do not fit what the run makes,
  ///   `SafetensorsError` or `FileError`.
  func load(into composition: Composition) throws {
    var unfolded = false
    if case .kept = encoder { unfolded = true }
    do {
      try adapter.folder.load(into: composition, names: names, unfolded: unfolded)
    } catch AdapterError.tensor(_, let name, let reason), AdapterError.foreignTensor(
      _, let name, let reason)
    {
      throw TrainingError.otherShapes(adapter: adapter.folder.path, tensor: name, reason: reason)
    }
  }
}
