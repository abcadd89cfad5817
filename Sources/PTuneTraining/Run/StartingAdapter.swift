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
  /// The adapter on the run's base model.
  let opened: OpenedAdapter
  /// Which task of the adapter each of the run's tasks goes on with: the only one, or that of the same name.
  private let tasks: [String: ComposedTask]
  private let encoder: Encoder

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
    guard let place = spec.startFrom else { return nil }
    opened = try OpenedAdapter(
      place.value, baseModel: spec.base.model.value, resolver: resolver, log: log
    ).trainable()
    let folder = opened.folder
    func refuse(_ place: RunPlace, _ reason: String, help: String) -> TrainingError {
      .unusable("\(place): \(reason)", help: help)
    }
    func check(_ kind: String, _ given: ComponentSpec?, _ own: ComponentChoice?) throws(TrainingError) {
      guard given?.plugin.value != own?.plugin else { return }
      let (has, wants) = (
        own.map { "'\($0.plugin)'" } ?? "none", given.map { "'\($0.plugin.value)'" } ?? "none"
      )
      throw refuse(
        given?.plugin.place ?? place.place, "the \(kind) of \(folder.path) is \(has), not \(wants)",
        help: "name the component that the adapter has")
    }
    guard spec.further.count == folder.further.count else {
      throw refuse(
        spec.adapter.plugin.place,
        "the adapters of \(folder.path) are \(folder.adapters.map(\.plugin).joined(separator: ", "))",
        help: "name them all, in this order")
    }
    for (given, own) in zip(spec.adapters, folder.adapters) { try check("adapter", given, own) }
    try check("selector", spec.selector, folder.selector)
    guard spec.tasks.count == folder.tasks.count else {
      throw refuse(
        place.place,
        "\(folder.path) has the tasks \(folder.tasks.map(\.name).joined(separator: ", ")), and the run \(spec.tasks.count) of them",
        help: "name as many tasks; 'extend' adds tasks to an adapter")
    }
    var tasks: [String: ComposedTask] = [:]
    for task in spec.tasks {
      guard
        let own = folder.tasks.count == 1
          ? folder.tasks[0] : folder.tasks.first(where: { $0.name == task.name })
      else {
        throw refuse(
          place.place,
          "\(folder.path) has no task '\(task.name)', but \(folder.tasks.map(\.name).joined(separator: ", "))",
          help: "give the run's tasks these names")
      }
      try check("head of task '\(task.name)'", task.head, own.head)
      tasks[task.name] = own
    }
    self.tasks = tasks
    encoder = try Self.encoder(folder, spec.adapter, log)
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

  /// Puts the adapter's hyperparameters where the run gives none.
  func complete(_ blueprint: inout Blueprint) {
    blueprint.base = blueprint.base ?? opened.folder.base
    var adapter = opened.folder.adapter
    switch encoder {
    case .none: break
    case .kept(let encoder): adapter.hyperparameters.merge(encoder.hyperparameters) { $1 }
    case .gone(let encoder):
      for name in encoder.hyperparameters.keys { blueprint.adapter.hyperparameters[name] = nil }
    }
    blueprint.adapter.takeMissing(from: adapter)
    for (index, own) in opened.folder.further.enumerated() {
      blueprint.further[index].takeMissing(from: own)
    }
    if let own = opened.folder.selector { blueprint.selector?.takeMissing(from: own) }
    blueprint.usesTokenTypes = opened.folder.usesTokenTypes
    blueprint.maximumLength = blueprint.maximumLength ?? opened.folder.maximumLength
  }

  /// The same for a task's head.
  func complete(_ head: inout ComponentChoice, of task: String) {
    if let own = tasks[task]?.head { head.takeMissing(from: own) }
  }

  /// Loads the trained values.
  ///
  /// - Throws: ``TrainingError/unusable(_:help:)`` where they do not fit what the run makes, `SafetensorsError` or
  ///   `FileError`.
  func load(into composition: Composition) throws {
    var unfolded = false
    if case .kept = encoder { unfolded = true }
    do {
      try opened.folder.load(into: composition, names: tasks.mapValues(\.name), unfolded: unfolded)
    } catch TrainingError.tensor(_, let name, let reason), TrainingError.foreignTensor(
      _, let name, let reason)
    {
      throw TrainingError.unusable(
        "the run cannot start from \(opened.folder.path): tensor '\(name)' \(reason)",
        help: "leave hyperparameters of the adapter and of heads out of the run file: they are the adapter's")
    }
  }
}

extension ComponentChoice {
  /// Takes the hyperparameters that it does not have.
  fileprivate mutating func takeMissing(from other: ComponentChoice) {
    hyperparameters.merge(other.hyperparameters) { own, _ in own }
  }
}
