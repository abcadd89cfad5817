import CPTune
import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// Which component of a run is meant.
public struct ComponentChoice: Equatable, Sendable {
  /// Its name, "prefix-tuning".
  public var plugin: String
  /// The values the user gave, unchecked.
  public var hyperparameters: [String: HyperparameterValue]

  /// A component with these values.
  public init(plugin: String, hyperparameters: [String: HyperparameterValue] = [:]) {
    self.plugin = plugin
    self.hyperparameters = hyperparameters
  }
}

extension ComponentChoice {
  /// Its name, and its hyperparameters in the order of their names.
  package var json: JSONValue {
    var hyperparameters = JSONObject()
    for (name, value) in self.hyperparameters.sorted(by: { $0.key < $1.key }) {
      hyperparameters[name] = value.json
    }
    return ["plugin": .string(plugin), "hyperparameters": .object(hyperparameters)]
  }
}

/// A plugin that a run used.
public struct UsedPlugin: Equatable, Sendable {
  /// The component's kind and name.
  public let kind: ComponentKind
  /// The component's name.
  public let name: String
  /// The plugin's version.
  public let version: String
  /// Its file.
  public let file: String

  /// A plugin and the component of it that was used.
  package init(kind: ComponentKind, name: String, version: String, file: String) {
    self.kind = kind
    self.name = name
    self.version = version
    self.file = file
  }
}

/// Makes the components of a run from plugins.
public final class ComponentFactory {
  package let registry: PluginRegistry
  /// The plugins of what was made, in order.
  public private(set) var used: [UsedPlugin] = []

  /// A factory over the plugins of a registry.
  public init(registry: PluginRegistry) { self.registry = registry }

  /// Loads a component.
  ///
  /// - Throws: `UnknownComponentError` or `Rejection`.
  public func load(_ kind: ComponentKind, _ choice: ComponentChoice) throws -> LoadedComponent {
    let component = try registry.load(kind, named: choice.plugin)
    used.append(
      UsedPlugin(
        kind: kind, name: choice.plugin, version: component.description.plugin.version,
        file: component.description.plugin.file))
    return component
  }

  /// How failures name it, and what owns the parameters it declares.
  public func identity(_ component: LoadedComponent, owner: String) -> ComponentIdentity {
    ComponentIdentity(
      component: "\(component.description.kind.noun) \(component.description.name)",
      plugin: component.description.plugin.file, owner: owner)
  }

  /// The choice with every hyperparameter spelled out, so that what is saved does not change with a default.
  ///
  /// - Throws: `HyperparameterError` if a value does not fit the component's schema.
  package func complete(_ component: LoadedComponent, _ choice: ComponentChoice) throws -> ComponentChoice {
    let schema = component.description.schema
    let arguments = try schema.arguments(from: choice.hyperparameters)
    return ComponentChoice(
      plugin: choice.plugin,
      hyperparameters: Dictionary(
        uniqueKeysWithValues: zip(schema.parameters.map(\.name), arguments.map(\.value))))
  }

  /// Makes a base model, within the call of its creation.
  ///
  /// - Throws: `HyperparameterError` or `ConstructionError`.
  public func baseModel(
    _ component: LoadedComponent, _ choice: ComponentChoice, _ call: OpaquePointer?
  ) throws -> any BaseModel {
    let (instance, table) = try make(component, choice, call, ptune_base_model_v1.self)
    return LoadedBaseModel(instance, table: table, destroy: component.component.pointee.destroy)
  }

  /// Makes an adapter, within the call of its creation.
  ///
  /// - Throws: `HyperparameterError` or `ConstructionError`.
  public func adapter(
    _ component: LoadedComponent, _ choice: ComponentChoice, _ call: OpaquePointer?
  ) throws -> any Adapter {
    let (instance, table) = try make(component, choice, call, ptune_adapter_v1.self)
    return LoadedAdapter.make(
      instance, table: table, recommendation: recommendation(component),
      destroy: component.component.pointee.destroy)
  }

  /// Makes a selector, within the call of its creation.
  ///
  /// - Throws: `HyperparameterError` or `ConstructionError`.
  public func selector(
    _ component: LoadedComponent, _ choice: ComponentChoice, _ call: OpaquePointer?
  ) throws -> any Selector {
    let (instance, table) = try make(component, choice, call, ptune_selector_v1.self)
    return LoadedSelector(instance, table: table, destroy: component.component.pointee.destroy)
  }

  /// Makes a task head, within the call of its creation.
  ///
  /// - Throws: `HyperparameterError` or `ConstructionError`.
  public func head(
    _ component: LoadedComponent, _ choice: ComponentChoice, _ call: OpaquePointer?
  ) throws -> any TaskHead {
    let (instance, table) = try make(component, choice, call, ptune_task_head_v1.self)
    return LoadedTaskHead.make(instance, table: table, destroy: component.component.pointee.destroy)
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
    _ component: LoadedComponent, _ choice: ComponentChoice, _ call: OpaquePointer?, _ type: Table.Type
  ) throws -> (UnsafeMutableRawPointer?, UnsafePointer<Table>) {
    guard let table = component.methods(as: type) else {
      throw ComponentFailure("the component has no table of functions")
    }
    return (try component.create(values: choice.hyperparameters, call: call), table)
  }
}
