import PTuneLibc
import Synchronization

/// A file that appears in its place whole or not at all: it is written beside it under a temporary name,
/// synced and renamed, and the folder is synced. What stood there before is untouched until then, and stays
/// so if anything fails. A file that is given up, or dropped before `commit`, leaves nothing behind.
public struct AtomicFile: ~Copyable {
  /// The path as it was given, for messages.
  private let path: String
  private let folder: FolderPlace
  /// Nil for what is no ordinary file: bytes go right into it.
  private let temporary: String?
  private var descriptor: Int32

  /// Starts a file of ptune's own that will stand at `path`, in a folder that exists. An existing file keeps its
  /// permissions. A link is replaced, and what it points to stays as it is: a folder that came from elsewhere can't
  /// lead out of itself.
  ///
  /// - Parameter root: A folder above it: those between them may not be links either.
  public init(_ path: String, within root: String? = nil) throws(FileError) {
    guard FilePath.isPossible(path) else { throw FileError(.create, path, code: EINVAL) }
    try self.init(path, in: FolderPlace(of: path, within: root))
  }

  /// Starts a file that the user names. A link stays one, and the file it points to is replaced. Devices, pipes and the
  /// file behind standard output are written to and not replaced.
  ///
  /// - Parameter inputs: The files that the command reads: none of them may be this one, under whatever name.
  public init(output path: String, reading inputs: [String]) throws(FileError) {
    guard FilePath.isPossible(path) else { throw FileError(.create, path, code: EINVAL) }
    try OutputPlace.refuse(path, reading: inputs)
    if let descriptor = try OutputPlace.special(path) {
      self.init(special: descriptor, path, in: try FolderPlace(of: path))
      return
    }
    let target = Self.linkTarget(of: path)
    Leftovers.removeAbandoned(in: FilePath.folder(of: target))
    try self.init(target, in: FolderPlace(of: target))
  }

  /// Refuses an output that is one of the files that a command reads, before it does its work.
  public static func check(output path: String, reading inputs: [String]) throws(FileError) {
    try OutputPlace.refuse(path, reading: inputs)
  }

  private init(special descriptor: Int32, _ path: String, in folder: consuming FolderPlace) {
    (self.path, temporary, self.descriptor) = (path, nil, descriptor)
    self.folder = folder
  }

  private init(_ path: String, in folder: consuming FolderPlace) throws(FileError) {
    let existing = folder.status
    if let existing, existing.st_mode & S_IFMT == S_IFDIR { throw FileError(.create, path, code: EISDIR) }
    let made = try Self.createTemporary(in: folder, path)
    if let existing, existing.st_mode & S_IFMT == S_IFREG {
      fchmod(made.descriptor, existing.st_mode & 0o777)
    }
    (self.path, temporary, descriptor) = (path, made.name, made.descriptor)
    self.folder = folder
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    if let temporary { folder.remove(temporary) }
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
    // A device or a pipe can't be synced.
    guard fsync(descriptor) == 0 || temporary == nil else { throw FileError(.sync, path) }
    let closed = close(descriptor)
    let code = errno
    descriptor = -1
    guard let temporary else {
      if closed != 0 { throw FileError(.write, path, code: code) }
      return
    }
    guard closed == 0, folder.replace(with: temporary) else {
      let error = FileError(closed == 0 ? .replace : .write, path, code: closed == 0 ? errno : code)
      folder.remove(temporary)
      throw error
    }
    try folder.sync(path)
  }

  /// Writes a whole file, as ``init(_:within:)`` does.
  public static func write(_ bytes: [UInt8], to path: String, within root: String? = nil) throws(FileError) {
    let file = try AtomicFile(path, within: root)
    try file.write(bytes)
    try file.commit()
  }

  /// Writes a whole file of UTF-8 text, as ``init(_:within:)`` does.
  public static func write(_ text: String, to path: String, within root: String? = nil) throws(FileError) {
    try write(Array(text.utf8), to: path, within: root)
  }

  /// Writes a whole file of UTF-8 text that the user names, as ``init(output:reading:)`` does.
  public static func write(_ text: String, output path: String, reading inputs: [String]) throws(FileError) {
    let file = try AtomicFile(output: path, reading: inputs)
    try file.write(text)
    try file.commit()
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
    in folder: borrowing FolderPlace, _ path: String
  ) throws(FileError) -> (name: String, descriptor: Int32) {
    while true {
      let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
      let name = "\(Leftovers.prefix)\(getpid())-\(number)\(Leftovers.suffix)"
      let descriptor = folder.create(name)
      if descriptor >= 0 {
        // Held until the file is closed: one that nobody holds was abandoned.
        flock(descriptor, LOCK_EX | LOCK_NB)
        return (name, descriptor)
      }
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
