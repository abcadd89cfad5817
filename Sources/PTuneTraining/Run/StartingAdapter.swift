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
  private let adapter: ContinuedAdapter
  /// Which task of the adapter each of the run's tasks goes on with: the only one, or that of the same name.
  private let tasks: [String: ComposedTask]
  private let encoder: Encoder

  /// The base model's files, as the adapter wants them.
  var checkpoint: ModelCheckpoint { adapter.opened.checkpoint }

  /// What training goes on with.
  private enum Encoder {
    /// The virtual tokens themselves.
    case none
    /// What made them.
    case kept(FoldedEncoder)
    /// The virtual tokens, though the run asks for what made them.
    case gone(FoldedEncoder)
  }

  /// Reads the adapter that the run starts from; nil if it starts from none.
  ///
  /// - Throws: ``TrainingError`` if the run does not fit the adapter, and what is wrong with its files.
  init?(
    _ spec: RunSpec, resolver: ModelResolver, log: (_ level: Int32, _ message: String) -> Void
  ) throws {
    guard let path = spec.startFrom else { return nil }
    adapter = try ContinuedAdapter(path, spec, resolver: resolver, log: log)
    let folder = adapter.folder
    try adapter.check("selector", spec.selector, folder.selector)
    guard spec.tasks.count == folder.tasks.count else {
      throw adapter.refused(
        "\(folder.path) has the tasks \(folder.tasks.map(\.name).joined(separator: ", ")), and the run \(spec.tasks.count) of them",
        help: "name as many tasks; 'extend' adds tasks to an adapter")
    }
    var tasks: [String: ComposedTask] = [:]
    for task in spec.tasks {
      guard
        let own = folder.tasks.count == 1
          ? folder.tasks[0] : folder.tasks.first(where: { $0.name == task.name })
      else {
        throw adapter.refused(
          "\(folder.path) has no task '\(task.name)', but \(folder.tasks.map(\.name).joined(separator: ", "))",
          help: "give the run's tasks these names")
      }
      try adapter.check("head of task '\(task.name)'", task.head, own.head)
      tasks[task.name] = own
    }
    self.tasks = tasks
    encoder = try Self.encoder(folder, spec.adapters[0], log)
  }

  private static func encoder(
    _ folder: AdapterFolder, _ spec: ComponentSpec, _ log: (_ level: Int32, _ message: String) -> Void
  ) throws -> Encoder {
    guard let encoder = folder.encoder else { return .none }
    let asksForIt = encoder.hyperparameters.allSatisfy { name, value in
      spec.hyperparameters[name].map { HyperparameterValue($0.value) == value } ?? true
    }
    guard asksForIt else { return .none }
    if try folder.encoderIsCurrent() { return .kept(encoder) }
    log(
      Int32(PTUNE_LOG_WARNING),
      "\(folder.path): its virtual tokens are not those that \(FoldedEncoder.fileName) makes, or that file is gone; "
        + "training goes on with the virtual tokens themselves")
    return .gone(encoder)
  }

  /// What the adapter consists of, with what the run says instead; without tasks.
  func blueprint(of run: Blueprint) -> Blueprint {
    var (blueprint, run) = (adapter.folder.blueprint, run)
    switch encoder {
    case .none: break
    case .kept(let encoder): blueprint.adapters[0].take(encoder.hyperparameters)
    case .gone(let encoder):
      for name in encoder.hyperparameters.keys { run.adapters[0].hyperparameters[name] = nil }
    }
    for (index, given) in run.adapters.enumerated() {
      blueprint.adapters[index].take(given.hyperparameters)
    }
    if let given = run.selector { blueprint.selector?.take(given.hyperparameters) }
    blueprint.base = run.base ?? blueprint.base
    blueprint.maximumLength = run.maximumLength ?? blueprint.maximumLength
    blueprint.tasks = []
    return blueprint
  }

  /// The adapter's head of a task, with what the run says instead.
  func head(_ run: ComponentChoice, of task: String) -> ComponentChoice {
    var head = tasks[task]?.head ?? run
    head.take(run.hyperparameters)
    return head
  }

  /// Loads the trained values.
  ///
  /// - Throws: ``TrainingError/otherShapes(adapter:tensor:reason:)`` where they do not fit what the run makes,
  ///   `SafetensorsError` or `FileError`.
  func load(into composition: Composition) throws {
    var unfolded = false
    if case .kept = encoder { unfolded = true }
    do {
      try adapter.folder.load(into: composition, names: tasks.mapValues(\.name), unfolded: unfolded)
    } catch AdapterError.tensor(_, let name, let reason), AdapterError.foreignTensor(
      _, let name, let reason)
    {
      throw TrainingError.otherShapes(adapter: adapter.folder.path, tensor: name, reason: reason)
    }
  }
}

extension ComponentChoice {
  /// Takes hyperparameters in the place of its own.
  fileprivate mutating func take(_ others: [String: HyperparameterValue]) {
    hyperparameters.merge(others) { $1 }
  }
}
