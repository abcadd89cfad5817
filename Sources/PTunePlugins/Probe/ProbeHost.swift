import CPTune
import PTuneLibc

/// The host table of the probe's child: good for registering components and nothing more.
///
/// An entry function may look interfaces up, and may insist on getting them, so all of them are there. But every
/// function tagged [call] ends the process with a message, which makes the plugin the culprit.
enum ProbeHost {
  /// The table. Static.
  static func table(version: String) -> UnsafePointer<ptune_host_v1> {
    for (id, size) in HostInterfaces.sizes where id != PTUNE_CLOSURES_V1 {
      interfaces[id] = interfaceOfTraps(size: size)
    }
    interfaces[PTUNE_CLOSURES_V1] = UnsafeRawPointer(makeClosuresInterface())
    let table = UnsafeMutablePointer<ptune_host_v1>.allocate(capacity: 1)
    table.initialize(
      to: ptune_host_v1(
        struct_size: MemoryLayout<ptune_host_v1>.size, abi_major: UInt32(PTUNE_ABI_MAJOR),
        abi_minor: UInt32(PTUNE_ABI_MINOR), version: strdup(version),
        interface_for: { id in id.flatMap { interfaces[String(cString: $0)] } },
        fail: { _, _, why in
          if failure == nil { failure = why.map { String(cString: $0) } ?? "" }
        },
        log: { _, _, _ in },
        cancelled: { _ in false },
        random: { _ in trap() }))
    return UnsafePointer(table)
  }

  /// The reason that the entry function in progress gave; asking for it forgets it.
  static func takeFailure() -> String? {
    defer { failure = nil }
    return failure
  }

  /// The table of a host of another major version that has no interface at all. Static.
  static func bareTable() -> UnsafePointer<ptune_host_v1> {
    let table = UnsafeMutablePointer<ptune_host_v1>.allocate(capacity: 1)
    table.initialize(
      to: ptune_host_v1(
        struct_size: MemoryLayout<ptune_host_v1>.size, abi_major: UInt32(PTUNE_ABI_MAJOR) + 1, abi_minor: 0,
        version: strdup("0"), interface_for: { _ in nil },
        fail: { _, _, why in
          if failure == nil { failure = why.map { String(cString: $0) } ?? "" }
        }, log: { _, _, _ in }, cancelled: { _ in false }, random: { _ in trap() }))
    return UnsafePointer(table)
  }

  private static func interfaceOfTraps(size: Int) -> UnsafeRawPointer {
    let function: @convention(c) () -> Void = { trap() }
    let words = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<Int>.alignment)
    words.storeBytes(of: size, as: Int.self)
    for offset in stride(from: MemoryLayout<Int>.size, to: size, by: MemoryLayout<Int>.size) {
      words.storeBytes(of: function, toByteOffset: offset, as: (@convention(c) () -> Void).self)
    }
    return UnsafeRawPointer(words)
  }
}

// The probe's child has one thread of its own, and plugins' entry functions run on it one after the other.
nonisolated(unsafe) private var interfaces: [String: UnsafeRawPointer] = [:]
nonisolated(unsafe) private var failure: String?

private func trap() -> Never {
  let message = "a function tagged [call] was called in the entry function\n"
  _ = message.utf8CString.withUnsafeBytes { write(2, $0.baseAddress, $0.count - 1) }
  abort()
}
