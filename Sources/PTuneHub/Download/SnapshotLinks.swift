import PTuneFormats
import PTuneLibc

extension HubCacheRepository {
  /// Lets a commit's file be a blob: a link that is there at once or not at all.
  ///
  /// - Throws: `FileError`.
  func link(_ file: String, of commit: String, to blob: String) throws(FileError) {
    let folder = snapshot(commit)
    let path = FilePath.join(folder, file)
    let target = "../../blobs/\(FilePath.name(of: blob))"
    try FileSystem.createFolder(folder)
    var present = [CChar](repeating: 0, count: 512)
    let length = readlink(path, &present, present.count)
    if length > 0, present.prefix(length).elementsEqual(target.utf8CString.dropLast()) { return }
    // Other processes, and other threads of this one, may make the same link.
    let temporary = "\(path).\(getpid()).\(UInt64.random(in: 0...UInt64.max)).link"
    guard symlink(target, temporary) == 0 else { throw FileError(.create, path) }
    guard rename(temporary, path) == 0 else {
      let error = FileError(.replace, path)
      unlink(temporary)
      throw error
    }
  }

  /// Notes which commit a branch or a tag stands for; a commit stands for itself.
  ///
  /// - Throws: `FileError`.
  func note(_ revision: String, is commit: String) throws(FileError) {
    guard revision != commit else { return }
    let path = reference(revision)
    try FileSystem.createFolder(FilePath.folder(of: path))
    try AtomicFile.write(commit, to: path)
  }
}
