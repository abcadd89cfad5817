import PTuneLibc

/// The cores of this machine.
package enum Processors {
  /// Those that the process may use.
  package static var count: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
}
