import PTuneLibc

/// What a process that was killed left unfinished: `.ptune-PROCESS-NUMBER.partial`.
public enum Leftovers {
  static let prefix = ".ptune-"
  static let suffix = ".partial"

  /// Removes unfinished files and folders in a folder and in those in it. Nobody else may be writing there.
  ///
  /// - Throws: `FileError`.
  public static func remove(in folder: String) throws(FileError) {
    for name in try FileSystem.entries(of: folder) {
      let path = FilePath.join(folder, name)
      if name.hasPrefix(prefix), name.hasSuffix(suffix) {
        try FileSystem.removeFolder(path)
      } else if FileSystem.isFolder(path), !FileSystem.isLink(path) {
        try remove(in: path)
      }
    }
  }

  /// Removes unfinished files in a folder whose writers are gone: those that nobody holds a lock on. Others may be
  /// writing there at the same time.
  static func removeAbandoned(in folder: String) {
    for name in (try? FileSystem.entries(of: folder)) ?? []
    where name.hasPrefix(prefix) && name.hasSuffix(suffix) {
      let path = FilePath.join(folder, name)
      let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      var status = stat()
      if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(),
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
      {
        unlink(path)
      }
      close(descriptor)
    }
  }

  /// Removes a folder with all that is in it, so that after a crash at any time it is there whole or not at all.
  ///
  /// - Throws: `FileError`.
  public static func removeAtOnce(_ folder: String) throws(FileError) {
    if FileSystem.isLink(folder) { return try FileSystem.removeFile(folder) }
    guard FileSystem.isFolder(folder) else { return }
    let parent = FilePath.folder(of: folder)
    let aside = FilePath.join(parent, "\(prefix)\(getpid())-\(FilePath.name(of: folder))\(suffix)")
    try FileSystem.removeFolder(aside)
    guard rename(folder, aside) == 0 else { throw FileError(.remove, folder) }
    try AtomicFile.syncFolder(parent)
    try FileSystem.removeFolder(aside)
  }
}
