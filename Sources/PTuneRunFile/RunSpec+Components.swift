import PTuneComposition
import PTunePlugins

extension RunSpec {
  /// Checks the run's components against the schemas of their plugins.
  ///
  /// - Throws: `UnknownComponentError`, or ``RunFileError`` with the place in the run file.
  public func check(_ inventory: PluginInventory) throws { _ = try blueprint(inventory) }

  /// What the run consists of, with all hyperparameters checked.
  ///
  /// - Throws: `UnknownComponentError`, or ``RunFileError`` with the place in the run file.
  package func blueprint(_ inventory: PluginInventory) throws -> Blueprint<CheckedComponent> {
    Blueprint(
      base: try base.plugin.map {
        try inventory.checked(.baseModel, ComponentSpec(plugin: $0, hyperparameters: base.hyperparameters))
      }, adapters: try adapters.map { try inventory.checked(.adapter, $0) },
      selector: try selector.map { try inventory.checked(.selector, $0) },
      tasks: try tasks.map {
        TaskBlueprint(
          name: $0.name, head: try inventory.checked(.taskHead, $0.head), data: $0.data, weight: $0.weight)
      }, maximumLength: training.maximumLength, input: InputReading())
  }

  /// Removes hyperparameters of the first adapter that the run file gives and that this adapter does not know: they were
  /// meant for the run file's own adapter. Those that flags give stay.
  ///
  /// - Returns: the names of those that were removed, sorted.
  /// - Throws: `UnknownComponentError`.
  public mutating func removeStrangers(_ inventory: PluginInventory) throws -> [String] {
    let known = try inventory.component(.adapter, named: adapters[0].plugin.value).schema.parameters
    let strangers = adapters[0].hyperparameters.filter { name, value in
      guard case .file = value.place else { return false }
      return !known.contains { $0.name == name }
    }
    for name in strangers.keys { adapters[0].hyperparameters[name] = nil }
    return strangers.keys.sorted()
  }
}

extension PluginInventory {
  /// A component of a run with its hyperparameters checked.
  fileprivate func checked(_ kind: ComponentKind, _ spec: ComponentSpec) throws -> CheckedComponent {
    let description = try component(kind, named: spec.plugin.value)
    do throws(HyperparameterError) {
      return try CheckedComponent(description, spec.hyperparameters.mapValues(\.value))
    } catch {
      throw RunFileError(
        place: spec.hyperparameters[error.parameter]?.place ?? spec.plugin.place,
        problem: .hyperparameter(error))
    }
  }
}
