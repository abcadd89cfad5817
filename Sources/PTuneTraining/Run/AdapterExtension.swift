import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTunePlugins
import PTuneRunFile

/// A trained adapter that a run adds tasks to: what is there stays as it is, and what a new task has for itself is
/// trained.
///
/// A parameter belongs to a task if it is its head's or if its name begins with `tasks.NAME.`; all others are shared.
struct AdapterExtension {
  private let folder: AdapterFolder
  private let newTasks: [String]

  /// Reads the adapter that the run extends; nil if it extends none.
  ///
  /// - Throws: ``TrainingError`` if the run does not fit the adapter, and what is wrong with its files.
  init?(
    _ spec: RunSpec, resolver: ModelResolver, log: (_ level: Int32, _ message: String) -> Void
  ) throws {
    guard let place = spec.extend else { return nil }
    folder = try OpenedAdapter(
      place.value, baseModel: spec.base.model.value, resolver: resolver, log: log
    ).trainable().folder
    newTasks = spec.tasks.map(\.name)
    func refuse(_ place: RunPlace, _ reason: String, help: String) -> TrainingError {
      .unusable("\(place): \(reason)", help: help)
    }
    if let known = folder.tasks.map(\.name).first(where: newTasks.contains) {
      throw refuse(
        place.place, "the adapter \(folder.path) has a task '\(known)' already",
        help: "give the new task another name; the run file names the tasks to add and no others")
    }
    guard spec.further.count == folder.further.count else {
      throw refuse(
        spec.adapter.plugin.place,
        "the adapters of \(folder.path) are \(folder.adapters.map(\.plugin).joined(separator: ", "))",
        help: "an extended adapter keeps its adapters; name them all, in this order")
    }
    for (given, own) in zip(spec.adapters, folder.adapters) {
      try Self.check("adapter", given, own, folder.path)
    }
    if let selector = spec.selector {
      guard let own = folder.selector else {
        throw refuse(
          selector.plugin.place, "the adapter \(folder.path) has no selector",
          help: "remove the 'selector' section")
      }
      try Self.check("selector", selector, own, folder.path)
    }
    if let length = spec.training.maximumLength, length != folder.maximumLength {
      throw refuse(
        place.place,
        "the adapter \(folder.path) cuts texts to \(folder.maximumLength.map { "\($0)" } ?? "what fits"), and the run to \(length)",
        help: "remove 'maximum_length'")
    }
  }

  /// The run has to name the same component; what it says of hyperparameters has to be what they are.
  private static func check(
    _ kind: String, _ spec: ComponentSpec, _ own: ComponentChoice, _ folder: String
  ) throws {
    let help = "an extended adapter keeps its \(kind); name '\(own.plugin)' and leave its hyperparameters out"
    guard spec.plugin.value == own.plugin else {
      throw TrainingError.unusable(
        "\(spec.plugin.place): the \(kind) of \(folder) is '\(own.plugin)', not '\(spec.plugin.value)'",
        help: help)
    }
    for (name, value) in spec.hyperparameters.sorted(by: { $0.key < $1.key }) {
      guard let known = own.hyperparameters[name], known.isEqual(to: HyperparameterValue(value.value)) else {
        throw TrainingError.unusable(
          "\(value.place): '\(name)' is not what \(folder) was trained with", help: help)
      }
    }
  }

  /// Puts the adapter's own components in front of the run's.
  func extend(_ blueprint: inout Blueprint) {
    blueprint.base = folder.base
    blueprint.adapter = folder.adapter
    blueprint.further = folder.further
    blueprint.selector = folder.selector
    blueprint.tasks = folder.tasks
    blueprint.maximumLength = folder.maximumLength
    blueprint.usesTokenTypes = folder.usesTokenTypes
  }

  /// Loads the trained values and freezes them.
  ///
  /// - Throws: ``TrainingError``, `SafetensorsError` or `FileError`.
  func load(into composition: Composition) throws {
    try folder.load(into: composition, adding: newTasks)
    guard composition.model.trainableCount > 0 else {
      throw TrainingError.unusable(
        "nothing is left to train: the new task has no parameters of its own",
        help: "take a head with parameters, or an adapter that keeps some for each task")
    }
  }
}

extension HyperparameterValue {
  /// Equal, or the same number: 1 and 1.0.
  fileprivate func isEqual(to other: HyperparameterValue) -> Bool {
    switch (self, other) {
    case (.int(let a), .double(let b)), (.double(let b), .int(let a)): Double(a) == b
    default: self == other
    }
  }
}
