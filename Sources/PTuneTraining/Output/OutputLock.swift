import PTuneComposition
import PTuneFormats
import PTuneLibc

/// Keeps a run folder to one training at a time.
package enum OutputLock {
  /// Does something while no other process may train into the folder, which has to exist. The lock goes with the
  /// process, however that ends; its file stays.
  ///
  /// - Throws: ``TrainingError/outputInUse(folder:)``, `FileError` if the folder cannot be written to, and what
  ///   `body` throws.
  package static func hold<Result>(_ folder: String, _ body: () throws -> Result) throws -> Result {
    let path = FilePath.join(folder, ".lock")
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw FileError(.create, path) }
    defer { close(descriptor) }
    // A file system without locks is no reason not to train.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      throw TrainingError.outputInUse(folder: folder)
    }
    return try body()
  }
}
