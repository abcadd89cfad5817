import CPTune
import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// Makes the components of a run from plugins.
public final class ComponentFactory {
  package let registry: PluginRegistry
  /// The plugins of what was made, in order.
  public private(set) var used: [UsedPlugin] = []

  private var expected: PluginVersions?

  /// Compares the plugins of what is loaded from now on with those that an adapter was trained with.
  ///
  /// - Parameters:
  ///   - trained: the plugins of the training.
  ///   - adapter: the adapter's folder.
  ///   - log: takes warnings.
  package func expect(
    _ trained: [UsedPlugin], of adapter: String, log: @escaping (_ level: Int32, _ message: String) -> Void
  ) {
    expected = PluginVersions(
      trained: trained, adapter: adapter, allowsOther: registry.allowsOtherVersions, log: log)
  }

  /// A factory over the plugins of a registry.
  public init(registry: PluginRegistry) { self.registry = registry }

  /// Checks a component's hyperparameters and loads its plugin.
  ///
  /// - Throws: `UnknownComponentError`, `HyperparameterError`, `Rejection`, or ``OtherPluginVersion`` where an adapter was
  ///   trained with another one.
  public func load(_ kind: ComponentKind, _ choice: ComponentChoice) throws -> PreparedComponent {
    try load(registry.inventory.checked(kind, choice))
  }

  /// Loads the plugin of a component.
  ///
  /// - Throws: `Rejection`, or ``OtherPluginVersion`` where an adapter was trained with another one.
  package func load(_ values: CheckedComponent) throws -> PreparedComponent {
    let loaded = try registry.load(values.description.kind, named: values.description.name)
    let plugin = loaded.description.plugin
    let used = UsedPlugin(
      kind: values.description.kind, name: values.description.name, version: plugin.version,
      file: plugin.file)
    try expected?.check(used, reads: loaded.readVersions)
    self.used.append(used)
    return PreparedComponent(loaded: loaded, values: values)
  }

  /// How failures name it, and what owns the parameters it declares.
  public func identity(_ component: PreparedComponent, owner: String) -> ComponentIdentity {
    let description = component.loaded.description
    return ComponentIdentity(
      component: "\(description.kind.noun) \(description.name)", plugin: description.plugin.file, owner: owner
    )
  }

  /// Makes a base model, within the call of its creation.
  ///
  /// - Throws: `ConstructionError`.
  public func baseModel(
    _ component: PreparedComponent, _ call: OpaquePointer?
  ) throws -> any BaseModel {
    let (instance, table) = try make(component, call, ptune_base_model_v1.self)
    return LoadedBaseModel(instance, table: table, destroy: component.loaded.component.pointee.destroy)
  }

  /// Makes an adapter, within the call of its creation.
  ///
  /// - Throws: `ConstructionError`.
  public func adapter(
    _ component: PreparedComponent, _ call: OpaquePointer?
  ) throws -> any Adapter {
    let (instance, table) = try make(component, call, ptune_adapter_v1.self)
    return LoadedAdapter.make(
      instance, table: table, recommendation: recommendation(component.loaded),
      destroy: component.loaded.component.pointee.destroy)
  }

  /// Makes a selector, within the call of its creation.
  ///
  /// - Throws: `ConstructionError`.
  public func selector(
    _ component: PreparedComponent, _ call: OpaquePointer?
  ) throws -> any Selector {
    let (instance, table) = try make(component, call, ptune_selector_v1.self)
    return LoadedSelector(instance, table: table, destroy: component.loaded.component.pointee.destroy)
  }

  /// Makes a task head, within the call of its creation.
  ///
  /// - Throws: `ConstructionError`.
  public func head(
    _ component: PreparedComponent, _ call: OpaquePointer?
  ) throws -> any TaskHead {
    let (instance, table) = try make(component, call, ptune_task_head_v1.self)
    return LoadedTaskHead.make(instance, table: table, destroy: component.loaded.component.pointee.destroy)
  }

  /// How an adapter's learning rate is asked for; nil if it does not say.
  private func recommendation(_ component: LoadedComponent) -> ptune_recommendation_v1? {
    let found = component.component.pointee.extension?(component.component, PTUNE_RECOMMENDATION_V1)
    guard let table = found?.assumingMemoryBound(to: ptune_recommendation_v1.self).pointee,
      table.struct_size == MemoryLayout<ptune_recommendation_v1>.size
    else { return nil }
    return table
  }

  private func make<Table>(
    _ component: PreparedComponent, _ call: OpaquePointer?, _ type: Table.Type
  ) throws -> (UnsafeMutableRawPointer?, UnsafePointer<Table>) {
    guard let table = component.loaded.methods(as: type) else {
      throw ComponentFailure("the component has no table of functions")
    }
    return (try component.loaded.create(component.values, call: call), table)
  }
}
