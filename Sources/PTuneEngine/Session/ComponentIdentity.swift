/// Who is being called, for messages and for the ownership of parameters.
public struct ComponentIdentity: Sendable {
  /// What it is and its name: "adapter prefix-tuning".
  public let component: String
  /// The plugin's file, or nil for a component in the program itself.
  public let plugin: String?
  /// The owner of the parameters it declares: "adapter" or "head.NAME".
  public let owner: String

  /// An identity.
  public init(component: String, plugin: String? = nil, owner: String) {
    self.component = component
    self.plugin = plugin
    self.owner = owner
  }
}
