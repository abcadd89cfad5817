/// Which files may be opened at all: a search asks before any code of a plugin runs.
public protocol PluginAdmission: Sendable {
  /// Why a plugin's file must not be opened; nil if it may be.
  ///
  /// - Parameter file: its absolute path.
  func refusal(of file: String) -> Rejection.Reason?
}
