import PTuneLibc

/// What stands where the user wants a result.
enum OutputPlace {
  /// Refuses to write over a file that is read, whatever names the two have.
  static func refuse(_ output: String, reading inputs: [String]) throws(FileError) {
    guard let there = FileSystem.status(output), there.st_mode & S_IFMT == S_IFREG else { return }
    for input in inputs {
      guard let read = FileSystem.status(input), read.st_dev == there.st_dev, read.st_ino == there.st_ino
      else { continue }
      throw FileError(.replaceInput, output, code: EEXIST)
    }
  }

  /// A descriptor for what is to be written to rather than replaced: a device, a pipe, or what this process has open
  /// already. Nil for an ordinary file, or none.
  static func special(_ path: String) throws(FileError) -> Int32? {
    guard let there = FileSystem.status(path), there.st_mode & S_IFMT != S_IFDIR else { return nil }
    for stream in [STDOUT_FILENO, STDERR_FILENO] {
      var status = stat()
      guard fstat(stream, &status) == 0, status.st_dev == there.st_dev, status.st_ino == there.st_ino else {
        continue
      }
      // The same place in the file as all else that goes there.
      let descriptor = fcntl(stream, F_DUPFD_CLOEXEC, 3)
      guard descriptor >= 0 else { throw FileError(.create, path) }
      return descriptor
    }
    let isDescriptor = path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/")
    guard there.st_mode & S_IFMT != S_IFREG || isDescriptor else { return nil }
    let descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else { throw FileError(.create, path) }
    return descriptor
  }
}
