import PTuneLibc
import Synchronization

/// A file that appears in its place whole or not at all: it is written beside it under a temporary name,
/// synced and renamed, and the folder is synced. What stood there before is untouched until then, and stays
/// so if anything fails. A file that is given up, or dropped before `commit`, leaves nothing behind.
public struct AtomicFile: ~Copyable {
  private let path: String
  private let temporary: String
  private var descriptor: Int32

  /// Starts a file that will stand at `path`, in a folder that exists. An existing file keeps its
  /// permissions; a link stays one and the file it points to is replaced.
  public init(_ path: String) throws(FileError) {
    guard FilePath.isPossible(path) else { throw FileError(.create, path, code: EINVAL) }
    let target = Self.linkTarget(of: path)
    let existing = FileSystem.status(target)
    if let existing, existing.st_mode & S_IFMT == S_IFDIR { throw FileError(.create, path, code: EISDIR) }
    let made = try Self.createTemporary(beside: target)
    if let existing { fchmod(made.descriptor, existing.st_mode & 0o777) }
    self.path = target
    self.temporary = made.path
    self.descriptor = made.descriptor
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try writeAll(bytes, to: descriptor, path: path)
  }

  /// Appends text as UTF-8.
  public func write(_ text: String) throws(FileError) {
    try write(Array(text.utf8))
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(FileError) {
    try writeAll(bytes, to: descriptor, path: path)
  }

  /// Puts the file in its place. If that fails, what stood there still does.
  public consuming func commit() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError(.sync, path) }
    let closed = close(descriptor)
    let code = errno
    descriptor = -1
    guard closed == 0, rename(temporary, path) == 0 else {
      let error = FileError(closed == 0 ? .replace : .write, path, code: closed == 0 ? errno : code)
      unlink(temporary)
      throw error
    }
    try Self.syncFolder(FilePath.folder(of: path))
  }

  /// Writes a whole file.
  public static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = try AtomicFile(path)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes a whole file of UTF-8 text.
  public static func write(_ text: String, to path: String) throws(FileError) {
    try write(Array(text.utf8), to: path)
  }

  private static func linkTarget(of path: String) -> String {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK, let target = realpath(path, nil)
    else { return path }
    defer { free(target) }
    return String(cString: target)
  }

  private static let counter = Atomic<Int>(0)

  private static func createTemporary(
    beside path: String
  ) throws(FileError) -> (path: String, descriptor: Int32) {
    while true {
      let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
      let temporary = FilePath.join(
        FilePath.folder(of: path), "\(Leftovers.prefix)\(getpid())-\(number)\(Leftovers.suffix)")
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
      if descriptor >= 0 { return (temporary, descriptor) }
      // A process with our number may have died and left one; take the next name.
      guard errno == EEXIST || errno == EINTR else { throw FileError(.create, path) }
    }
  }

  static func syncFolder(_ folder: String) throws(FileError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A folder that may be written but not listed cannot be synced; the file itself is.
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // Some file systems cannot sync folders, which they say with EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw FileError(.sync, folder) }
  }
}

/// Writes all bytes, however many writes that takes.
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String) throws(FileError) {
  var rest = bytes
  while let start = rest.baseAddress, !rest.isEmpty {
    let written = systemWrite(descriptor, start, rest.count)
    if written < 0 {
      if errno == EINTR { continue }
      throw FileError(.write, path)
    }
    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
  }
}

/// Writes all bytes, however many writes that takes.
func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(FileError) {
  let result = bytes.withUnsafeBytes { pointer in
    Result<Void, FileError> { () throws(FileError) in try writeAll(pointer, to: descriptor, path: path) }
  }
  try result.get()
}

private func systemWrite(_ descriptor: Int32, _ start: UnsafeRawPointer, _ count: Int) -> Int {
  // Linux writes at most 2 GiB at once and macOS refuses more.
  write(descriptor, start, min(count, 1 << 30))
}
