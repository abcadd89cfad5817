import CPTunePlatform
import PTuneLibc

/// A folder whose files change together: they are written into a folder beside it, which then takes its place in one
/// step. Who looks at any instant, or after a crash, finds all old files or all new ones. Files of the old folder that
/// are not written anew are in the new one, too.
///
/// Where the system cannot exchange two folders the old one is moved away first; a crash right then leaves both whole
/// beside the path, and ``recover(_:)`` puts the new one there.
public struct AtomicFolder: ~Copyable {
  /// Where the files are written until `commit`.
  public let staging: String
  private let path: String
  private let exchange: (String, String) -> Int32
  private var isDone = false

  /// Starts a folder that will stand at `path`, in a folder that is made if need be. One writer at a time.
  ///
  /// - Parameter followsLink: Whether a link at `path` stays one, and the folder it points to is replaced; otherwise the
  ///   link is.
  public init(_ path: String, followsLink: Bool = true) throws(FileError) {
    if !followsLink, FileSystem.isLink(path) { try FileSystem.removeFile(path) }
    try self.init(path) { ptune_exchange($0, $1) }
  }

  /// - Parameter exchange: makes two paths name what the other named; returns an errno.
  init(_ path: String, exchange: @escaping (String, String) -> Int32) throws(FileError) {
    let target = Self.target(of: path)
    let staging = Self.beside(target, "partial")
    try Self.prepare(staging, for: target)
    (self.path, self.staging, self.exchange) = (target, staging, exchange)
  }

  private static func prepare(_ staging: String, for target: String) throws(FileError) {
    try FileSystem.createFolder(FilePath.folder(of: target))
    try recover(target)
    // What a crash left.
    try FileSystem.removeFolder(staging)
    guard mkdir(staging, 0o777) == 0 else { throw FileError(.createFolder, target) }
    if let existing = FileSystem.status(target) { chmod(staging, existing.st_mode & 0o777) }
  }

  deinit {
    if !isDone { try? FileSystem.removeFolder(staging) }
  }

  /// Puts the new folder in its place.
  ///
  /// - Parameter dropping: files of the old folder that go.
  public consuming func commit(dropping dropped: Set<String> = []) throws(FileError) {
    if FileSystem.isFolder(path) {
      try Self.carry(path, into: staging, except: dropped)
      try replace()
    } else {
      guard rename(staging, path) == 0 else { throw FileError(.replace, path) }
    }
    isDone = true
    try AtomicFile.syncFolder(FilePath.folder(of: path))
    // From here on the staging folder is the old one. One that cannot be removed does no harm; the next writer tries again.
    try? FileSystem.removeFolder(staging)
  }

  /// Finishes what a crash interrupted where folders cannot be exchanged. Does nothing where something is at `path`.
  public static func recover(_ path: String) throws(FileError) {
    let (staging, previous) = (beside(path, "partial"), beside(path, "previous"))
    guard FileSystem.isFolder(previous), !FileSystem.isLink(previous) else { return }
    if !FileSystem.exists(path), rename(staging, path) != 0, rename(previous, path) != 0 {
      throw FileError(.replace, path)
    }
    try FileSystem.removeFolder(previous)
  }

  /// Removes what a crash left beside a folder. Nobody else may be writing the folder.
  ///
  /// - Throws: `FileError`.
  public static func removeLeftovers(of path: String) throws(FileError) {
    let path = target(of: path)
    try recover(path)
    try FileSystem.removeFolder(beside(path, "partial"))
  }

  private func replace() throws(FileError) {
    let status = exchange(staging, path)
    if status == 0 { return }
    guard [EINVAL, ENOSYS, ENOTSUP, EPERM].contains(status) else {
      throw FileError(.replace, path, code: status)
    }
    let previous = Self.beside(path, "previous")
    try FileSystem.removeFolder(previous)
    guard rename(path, previous) == 0, rename(staging, path) == 0 else {
      let error = FileError(.replace, path)
      if !FileSystem.exists(path) { rename(previous, path) }
      throw error
    }
    try FileSystem.removeFolder(previous)
  }

  /// Puts what is in a folder into another under the same names, unless there is something.
  private static func carry(_ folder: String, into other: String, except dropped: Set<String>)
    throws(FileError)
  {
    for name in try FileSystem.entries(of: folder) where !dropped.contains(name) {
      let (from, to) = (FilePath.join(folder, name), FilePath.join(other, name))
      var status = stat()
      guard lstat(to, &status) != 0, lstat(from, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR:
        guard mkdir(to, status.st_mode & 0o777) == 0 else { throw FileError(.createFolder, to) }
        try carry(from, into: to, except: [])
      case S_IFLNK:
        var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
        guard readlink(from, &target, Int(PATH_MAX)) >= 0, symlink(target, to) == 0 else {
          throw FileError(.create, to)
        }
      case S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK: continue
      default:
        // Where there are no hard links the bytes are copied.
        if link(from, to) != 0 { try copy(from, to: to) }
      }
    }
    // The names have to be on the disk before the folder takes the other's place.
    try AtomicFile.syncFolder(other)
  }

  private static func copy(_ from: String, to: String) throws(FileError) {
    let source = try MappedFile(from)
    let target = try AtomicFile(to)
    let result = source.withBytes { bytes in
      Result<Void, FileError> { () throws(FileError) in try target.write(bytes) }
    }
    try result.get()
    try target.commit()
  }

  /// The name beside a folder of its next or its last state: `.adapter.partial` for `adapter`.
  private static func beside(_ path: String, _ state: String) -> String {
    FilePath.join(FilePath.folder(of: path), ".\(FilePath.name(of: path)).\(state)")
  }

  /// A link to a folder stays one, and the folder it points to is replaced.
  private static func target(of path: String) -> String {
    let path = path.utf8.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard FileSystem.isFolder(path), let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
