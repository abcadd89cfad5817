import PTuneComposition
import PTunePlugins

extension RunSpec {
  /// Checks the run's components against the schemas of their plugins.
  ///
  /// - Throws: `UnknownComponentError`, or ``TrainingError/hyperparameter(_:_:)`` with the place in the run file.
  public func check(_ inventory: PluginInventory) throws {
    func check(
      _ kind: ComponentKind, _ plugin: Located<String>, _ hyperparameters: [String: Located<RunValue>]
    ) throws {
      let schema = try inventory.component(kind, named: plugin.value).schema
      do throws(HyperparameterError) {
        _ = try schema.arguments(from: hyperparameters.mapValues { HyperparameterValue($0.value) })
      } catch {
        throw TrainingError.hyperparameter(hyperparameters[error.parameter]?.place ?? plugin.place, error)
      }
    }
    for adapter in adapters { try check(.adapter, adapter.plugin, adapter.hyperparameters) }
    if let selector { try check(.selector, selector.plugin, selector.hyperparameters) }
    if let plugin = base.plugin { try check(.baseModel, plugin, base.hyperparameters) }
    for task in tasks { try check(.taskHead, task.head.plugin, task.head.hyperparameters) }
  }

  /// Removes hyperparameters of the adapter that the run file gives and that this adapter does not know: they were
  /// meant for the run file's own adapter. Those that flags give stay.
  ///
  /// - Returns: the names of those that were removed, sorted.
  /// - Throws: `UnknownComponentError`.
  public mutating func removeStrangers(_ inventory: PluginInventory) throws -> [String] {
    let known = try inventory.component(.adapter, named: adapter.plugin.value).schema.parameters
    let strangers = adapter.hyperparameters.filter { name, value in
      guard case .file = value.place else { return false }
      return !known.contains { $0.name == name }
    }
    for name in strangers.keys { adapter.hyperparameters[name] = nil }
    return strangers.keys.sorted()
  }
}

extension ComponentChoice {
  /// A component of a run file.
  package init(_ spec: ComponentSpec) {
    self.init(plugin: spec.plugin.value, hyperparameters: spec.hyperparameters.mapValues { .init($0.value) })
  }
}

extension HyperparameterValue {
  /// A value of a run file.
  package init(_ value: RunValue) {
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
