import CPTune

/// A plugin's description, for its entry function.
///
/// ```swift
/// @c @implementation
/// public func ptune_plugin_entry_v1(
///   _ host: UnsafePointer<ptune_host_v1>?
/// ) -> UnsafePointer<ptune_plugin_v1>? {
///   Plugin.register(with: host, id: "org.example.my-method", version: "1.0.0") {
///     [.adapter("my-method", summary: "…", documentation: "…", make: MyMethod.init)]
///   }
/// }
/// ```
public enum Plugin {
  /// Connects the kit to the host and describes the plugin's components to it.
  ///
  /// - Parameters:
  ///   - host: what the entry function was given.
  ///   - id: unique, as a reversed domain.
  ///   - version: of the plugin.
  ///   - reads: earlier major versions of the plugin whose adapters its components read, as "1".
  ///   - components: makes the descriptions, once the host is connected.
  public static func register(
    with host: UnsafePointer<ptune_host_v1>?, id: String, version: String, reads: [String] = [],
    components: () -> [Component]
  ) -> UnsafePointer<ptune_plugin_v1>? {
    guard let host else { return nil }
    guard host.pointee.struct_size == MemoryLayout<ptune_host_v1>.size,
      host.pointee.abi_major == PTUNE_ABI_MAJOR
    else {
      host.pointee.fail(
        nil, ptune_status(PTUNE_UNSUPPORTED),
        "built for plugin interface \(PTUNE_ABI_MAJOR).\(PTUNE_ABI_MINOR); recompile the plugin")
      return nil
    }
    Host.connect(host)
    if !reads.isEmpty {
      ComponentExtensions.reads = staticTable(
        ptune_reads_v1(
          struct_size: MemoryLayout<ptune_reads_v1>.size,
          versions: staticString(reads.joined(separator: " "))))
    }
    let described = components()
    let list = UnsafeMutablePointer<UnsafePointer<ptune_component_v1>?>.allocate(capacity: described.count)
    for (index, component) in described.enumerated() {
      (list + index).initialize(to: component.descriptor)
    }
    let plugin = UnsafeMutablePointer<ptune_plugin_v1>.allocate(capacity: 1)
    plugin.initialize(
      to: ptune_plugin_v1(
        struct_size: MemoryLayout<ptune_plugin_v1>.size, id: staticString(id), version: staticString(version),
        runtime: staticString(runtime), component_count: described.count, components: list))
    return UnsafePointer(plugin)
  }

  private static var runtime: String {
    #if swift(>=6.4)
      "swift 6.4"
    #elseif swift(>=6.3)
      "swift 6.3"
    #else
      "swift 6"
    #endif
  }
}
