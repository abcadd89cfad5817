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

/// A component whose plugin is loaded, with the values that it is made with.
public struct PreparedComponent {
  let loaded: LoadedComponent
  let values: CheckedComponent

  /// The component with every hyperparameter spelled out, so that what is saved does not change with a default.
  package var choice: ComponentChoice {
    ComponentChoice(plugin: values.description.name, hyperparameters: values.values)
  }
}

extension PluginInventory {
  /// A component with its hyperparameters checked.
  ///
  /// - Throws: `UnknownComponentError`, or `HyperparameterError` for a value that does not fit its schema.
  package func checked(_ kind: ComponentKind, _ choice: ComponentChoice) throws -> CheckedComponent {
    try CheckedComponent(try component(kind, named: choice.plugin), choice.hyperparameters)
  }

  /// A blueprint with all hyperparameters checked.
  ///
  /// - Throws: `UnknownComponentError` or `HyperparameterError`.
  package func checked(_ blueprint: Blueprint<ComponentChoice>) throws -> Blueprint<CheckedComponent> {
    try blueprint.map { try checked($0, $1) }
  }
}
