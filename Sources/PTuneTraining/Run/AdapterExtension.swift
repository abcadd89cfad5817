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
  let adapter: ContinuedAdapter
  private let newTasks: [String]
  /// What the adapter consists of; the run's tasks come behind its own.
  let blueprint: Blueprint<CheckedComponent>

  /// Reads the adapter that the run extends; nil if it extends none.
  ///
  /// - Throws: ``TrainingError`` if the run does not fit the adapter, and what is wrong with its files.
  init?(
    _ spec: RunSpec, _ asked: Blueprint<CheckedComponent>, _ inventory: PluginInventory,
    resolver: ModelResolver, log: (_ level: Int32, _ message: String) -> Void
  ) throws {
    guard let path = spec.extend else { return nil }
    adapter = try ContinuedAdapter(path, spec, resolver: resolver, log: log)
    newTasks = spec.tasks.map(\.name)
    let folder = adapter.folder
    if let known = folder.tasks.map(\.name).first(where: newTasks.contains) {
      throw adapter.refused(
        "the adapter \(folder.path) has a task '\(known)' already",
        help: "give the new task another name; the run file names the tasks to add and no others")
    }
    if spec.selector != nil { try adapter.check("selector", spec.selector, folder.selector) }
    blueprint = try inventory.checked(folder.blueprint)
    for (index, own) in blueprint.adapters.enumerated() {
      try checkValues("adapter", asked.adapters[index], spec.adapters[index], own)
    }
    if let given = asked.selector, let named = spec.selector, let own = blueprint.selector {
      try checkValues("selector", given, named, own)
    }
    let own = folder.blueprint.maximumLength
    if let length = spec.training.maximumLength, length != own {
      throw adapter.refused(
        "the adapter \(folder.path) cuts texts to \(own.map { "\($0)" } ?? "what fits"), and the run to \(length)",
        help: "remove 'maximum_length'")
    }
  }

  /// What the run says of hyperparameters has to be what they are.
  private func checkValues(
    _ kind: String, _ given: CheckedComponent, _ spec: ComponentSpec, _ own: CheckedComponent
  ) throws(TrainingError) {
    for name in given.given.sorted() where given[name] != own[name] {
      throw adapter.refused(
        at: spec.hyperparameters[name]?.place,
        "'\(name)' is not what \(adapter.folder.path) was trained with",
        help: "an extended adapter keeps its \(kind); leave the hyperparameters of '\(spec.plugin.value)' out"
      )
    }
  }

  /// Loads the trained values and freezes them.
  ///
  /// - Throws: ``TrainingError``, `AdapterError`, `SafetensorsError` or `FileError`.
  func load(into composition: Composition) throws {
    try adapter.folder.load(into: composition, adding: newTasks)
    guard composition.model.trainableCount > 0 else { throw TrainingError.nothingToTrain }
  }
}
