import CPTune
import PTuneLibc

/// A plugin's file, opened in this process. It is never closed: Swift code cannot be unloaded.
struct PluginLibrary {
  typealias Entry = @convention(c) (UnsafePointer<ptune_host_v1>) -> UnsafePointer<ptune_plugin_v1>?

  private let handle: UnsafeMutableRawPointer

  /// Opens the file with all of its symbols resolved and kept apart from those of others.
  ///
  /// NB: by its path, since a library finds others beside it by that; the file that was checked is held open, and has
  /// to be the one that stands there still.
  init(opening file: String) throws(ProbeMessage.Refusal) {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    defer { if descriptor >= 0 { close(descriptor) } }
    var checked = stat()
    if descriptor >= 0, fstat(descriptor, &checked) == 0 {
      if let reason = distrust(checked, .file) { throw .cannotOpen("\(reason)") }
      if let step = distrustedStep(to: file) { throw .cannotOpen("\(step)") }
    }
    guard let handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
      var why = dlerror().map { String(cString: $0) } ?? "for an unknown reason"
      if why.hasPrefix(file + ": ") { why.removeFirst(file.count + 2) }
      throw .cannotOpen(why)
    }
    if descriptor >= 0 {
      guard case .success(let there) = status(of: file), FileIdentity(there) == FileIdentity(checked) else {
        throw .cannotOpen("another file was put in its place while it was opened")
      }
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
