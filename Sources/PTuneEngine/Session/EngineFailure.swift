/// Why a component, or an operator it called, failed.
public struct EngineFailure: Error, CustomStringConvertible, Sendable {
  /// The component, as "adapter prefix-tuning".
  public let component: String
  /// The plugin's file, or nil for a component in the program itself.
  public let plugin: String?
  /// The function of the component that was running.
  public let method: String
  /// What went wrong.
  public let reason: String
  /// The ABI's status.
  public let status: Int32

  /// Who failed where, and why: "adapter prefix-tuning (FILE), inject: …".
  public var description: String {
    let place = plugin.map { " (\($0))" } ?? ""
    return "\(component)\(place), \(method): \(reason)"
  }
}
