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
      } else if FileSystem.isFolder(path) {
        try remove(in: path)
      }
    }
  }

  /// Removes a folder with all that is in it, so that after a crash at any time it is there whole or not at all.
  ///
  /// - Throws: `FileError`.
  public static func removeAtOnce(_ folder: String) throws(FileError) {
    guard FileSystem.isFolder(folder) else { return }
    let parent = FilePath.folder(of: folder)
    let aside = FilePath.join(parent, "\(prefix)\(getpid())-\(FilePath.name(of: folder))\(suffix)")
    try FileSystem.removeFolder(aside)
    guard rename(folder, aside) == 0 else { throw FileError(.remove, folder) }
    try AtomicFile.syncFolder(parent)
    try FileSystem.removeFolder(aside)
  }
}
