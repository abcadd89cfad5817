import PTuneLibc

/// The few questions to the disk that the rest of the package asks.
public enum FileSystem {
  /// The folder that relative paths start from.
  public static var currentFolder: String {
    guard let path = getcwd(nil, 0) else { return "." }
    defer { free(path) }
    return String(cString: path)
  }

  /// The environment of the process.
  public static var environment: [String: String] {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    return variables
  }

  /// Whether something is there, links followed.
  public static func exists(_ path: String) -> Bool {
    status(path) != nil
  }

  /// Whether it is a folder, links followed.
  public static func isFolder(_ path: String) -> Bool {
    status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
  }

  /// Whether it is an ordinary file, links followed.
  public static func isFile(_ path: String) -> Bool {
    status(path).map { $0.st_mode & S_IFMT == S_IFREG } ?? false
  }

  /// Bytes of an ordinary file, links followed; nil if there is none.
  public static func size(_ path: String) -> Int? {
    status(path).flatMap { $0.st_mode & S_IFMT == S_IFREG ? Int($0.st_size) : nil }
  }

  /// Whether it is a link.
  public static func isLink(_ path: String) -> Bool {
    guard FilePath.isPossible(path) else { return false }
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// The names in a folder, sorted, without "." and "..".
  public static func entries(of folder: String) throws(FileError) -> [String] {
    guard let stream = opendir(folder) else { throw FileError(.list, folder) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
          String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted(by: ByteString.less)
  }

  /// Makes a folder and those above it; one that is there already is fine.
  public static func createFolder(_ path: String) throws(FileError) {
    guard FilePath.isPossible(path) else { throw FileError(.createFolder, path, code: EINVAL) }
    if mkdir(path, 0o777) == 0 { return try AtomicFile.syncFolder(FilePath.folder(of: path)) }
    if errno == EEXIST && isFolder(path) { return }
    guard errno == ENOENT else { throw FileError(.createFolder, path) }
    let above = FilePath.folder(of: path)
    guard above != path, above != "." else { throw FileError(.createFolder, path, code: ENOENT) }
    try createFolder(above)
    guard mkdir(path, 0o777) == 0 || (errno == EEXIST && isFolder(path)) else {
      throw FileError(.createFolder, path)
    }
    try AtomicFile.syncFolder(above)
  }

  /// Makes a folder of ptune's own within another one; a link in its place is an error.
  ///
  /// - Throws: `FileError`.
  public static func createOwnFolder(_ path: String) throws(FileError) {
    if isLink(path) { throw FileError(.createFolder, path, code: ELOOP) }
    try createFolder(path)
  }

  /// Removes a file; one that is not there is fine.
  public static func removeFile(_ path: String) throws(FileError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError(.remove, path) }
  }

  /// Removes a folder with all that is in it, links themselves; one that is not there is fine.
  public static func removeFolder(_ path: String) throws(FileError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else { return try removeFile(path) }
    for name in try entries(of: path) { try removeFolder(FilePath.join(path, name)) }
    guard rmdir(path) == 0 || errno == ENOENT else { throw FileError(.remove, path) }
  }

  static func status(_ path: String) -> stat? {
    guard FilePath.isPossible(path) else { return nil }
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
  }
}
