import CPTune
import PTuneLibc

/// A plugin's file, opened in this process. It is never closed: Swift code cannot be unloaded.
struct PluginLibrary {
  typealias Entry = @convention(c) (UnsafePointer<ptune_host_v1>) -> UnsafePointer<ptune_plugin_v1>?

  private let handle: UnsafeMutableRawPointer

  /// Opens the file with all of its symbols resolved and kept apart from those of others.
  init(opening file: String) throws(ProbeMessage.Refusal) {
    guard let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      var why = dlerror().map { String(cString: $0) } ?? "for an unknown reason"
      if why.hasPrefix(file + ": ") { why.removeFirst(file.count + 2) }
      throw .cannotOpen(why)
    }
    self.handle = handle
  }

  /// The plugin's one function.
  func entry() throws(ProbeMessage.Refusal) -> Entry {
    if let symbol = dlsym(handle, "ptune_plugin_entry_v1") { return unsafeBitCast(symbol, to: Entry.self) }
    for version in [0] + Array(2...9) where dlsym(handle, "ptune_plugin_entry_v\(version)") != nil {
      throw .otherInterface(version)
    }
    throw .noEntry
  }
}

extension ProbeMessage.Refusal: Error {}

extension Rejection.Reason {
  init(_ refusal: ProbeMessage.Refusal) {
    self =
      switch refusal {
      case .cannotOpen(let why): .cannotOpen(why)
      case .noEntry: .noEntry
      case .otherInterface(let version): .otherInterface(version)
      case .entryFailed(let why): .refused(why)
      case .badDescription(let why): .badDescription(why)
      }
  }
}
