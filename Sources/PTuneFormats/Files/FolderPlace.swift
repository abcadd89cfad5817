import PTuneLibc

/// A name in a folder. Files are made, moved and removed there relative to the folder's descriptor, so that no link can
/// lead elsewhere, whenever it appears.
struct FolderPlace: ~Copyable {
  /// `AT_FDCWD` where the user names the folder: then links in its path are the user's own.
  private let folder: Int32
  /// In front of each name, if there is no descriptor.
  private let prefix: String
  private let name: String

  /// - Parameter root: A folder above the file: those between them may not be links.
  init(of path: String, within root: String? = nil) throws(FileError) {
    name = FilePath.name(of: path)
    let parent = FilePath.folder(of: path)
    guard let root, parent != root else {
      folder = AT_FDCWD
      prefix = path.utf8.contains(UInt8(ascii: "/")) ? parent : ""
      return
    }
    folder = try Self.open(parent, within: root)
    prefix = ""
  }

  deinit {
    if folder != AT_FDCWD { close(folder) }
  }

  /// Opens a folder that is to be reached from another one without links.
  static func open(_ path: String, within root: String) throws(FileError) -> Int32 {
    let root = root.hasSuffix("/") ? String(root.dropLast()) : root
    guard path == root || path.hasPrefix("\(root)/") else { throw FileError(.open, path, code: EINVAL) }
    let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC
    var folder = PTuneLibc.open(root, flags)
    guard folder >= 0 else { throw FileError(.open, root) }
    for part in path.dropFirst(root.count).split(separator: "/") {
      let next = openat(folder, String(part), flags | O_NOFOLLOW)
      let code = errno
      close(folder)
      guard next >= 0 else {
        let isLink = FileSystem.isLink(path)
        throw FileError(.open, path, code: isLink ? ELOOP : code)
      }
      folder = next
    }
    return folder
  }

  /// What is there, a link itself.
  var status: stat? {
    var status = stat()
    return fstatat(folder, at(name), &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
  }

  /// Makes a file beside the place; a descriptor, or -1.
  func create(_ other: String) -> Int32 {
    openat(folder, at(other), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
  }

  /// Moves a file beside the place into it; false if that fails.
  func replace(with other: String) -> Bool { renameat(folder, at(other), folder, at(name)) == 0 }

  /// Removes a file beside the place.
  func remove(_ other: String) { unlinkat(folder, at(other), 0) }

  /// Waits until the names in the folder are on the disk.
  func sync(_ path: String) throws(FileError) {
    let descriptor = openat(folder, prefix.isEmpty ? "." : prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A folder that may be written but not listed cannot be synced; the file itself is.
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    // Some file systems cannot sync folders, which they say with EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw FileError(.sync, FilePath.folder(of: path))
    }
  }

  private func at(_ name: String) -> String { FilePath.join(prefix, name) }
}
