import CPTune
import Synchronization

/// The plugins of this process. An image has one copy of its variables, however many registries load it, so its entry
/// function runs once for a host, and never twice at the same time.
enum LoadedPlugins {
  private struct Key: Hashable {
    let entry: UInt
    let host: UInt
  }

  /// Addresses of the descriptions, which live as long as the process.
  private static let known = Mutex<[Key: UInt]>([:])

  /// What a library's entry function describes to a host.
  ///
  /// - Throws: why the library cannot be opened, or its entry function refuses.
  static func plugin(
    in file: String, for host: UnsafePointer<ptune_host_v1>
  ) throws(ProbeMessage.Refusal) -> UnsafePointer<ptune_plugin_v1> {
    // The host is constant; its address crosses into the lock instead of the pointer, which is not Sendable.
    let hostAddress = UInt(bitPattern: host)
    let address = try known.withLock { known throws(ProbeMessage.Refusal) in
      let entry = try PluginLibrary(opening: file).entry()
      let key = Key(entry: unsafeBitCast(entry, to: UInt.self), host: hostAddress)
      if let plugin = known[key] { return plugin }
      guard let host = UnsafePointer<ptune_host_v1>(bitPattern: hostAddress), let plugin = entry(host) else {
        throw .entryFailed("it returned nothing")
      }
      known[key] = UInt(bitPattern: plugin)
      return UInt(bitPattern: plugin)
    }
    guard let plugin = UnsafePointer<ptune_plugin_v1>(bitPattern: address) else {
      throw .entryFailed("it returned nothing")
    }
    return plugin
  }
}
