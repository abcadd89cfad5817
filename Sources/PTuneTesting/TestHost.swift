import CPTune
import PTuneEngine
import PTunePlugins

/// The host for tests: connects the kit to the engine once in a process, with or without plugins.
public enum TestHost {
  /// The table to hand to plugins. The first call connects this program's own copy of the kit; components written
  /// in the test itself need nothing else.
  @discardableResult
  public static func connect() -> UnsafePointer<ptune_host_v1> { host }

  // NB: `nonisolated(unsafe)` is sound: the table is made once and constant.
  nonisolated(unsafe) private static let host = HostTable.connect(closures: makeClosuresInterface())
}
