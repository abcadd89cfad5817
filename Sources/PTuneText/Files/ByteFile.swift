import PTuneLibc

/// A file (or standard input) that is read from front to back, closed when the last reference goes.
final class ByteFile {
  let path: String
  private let descriptor: Int32

  /// Opens `path`, or standard input for `-`.
  init(path: String) throws(TextError) {
    self.path = path
    // NB: the system would end the path at a zero byte.
    guard !path.utf8.contains(0) else { throw .unreadable(path: path, reason: "a path has no zero bytes") }
    guard path != "-" else {
      descriptor = 0
      return
    }
    // NB: a pipe that nobody writes to would let this wait for ever.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { throw Self.unreadable(path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(path) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .unreadable(path: path, reason: String(cString: strerror(EISDIR)))
    case S_IFIFO where path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/"):
      // One end of a pipe that the shell made, `<(command)`: its other end is open already, so that waiting has an end.
      _ = fcntl(descriptor, F_SETFL, 0)
    default:
      throw .unreadable(
        path: path,
        reason: "it is no ordinary file; hand a pipe over as standard input: - in place of the name")
    }
  }

  deinit {
    if descriptor > 0 { close(descriptor) }
  }

  /// Fills as much of `buffer` as one read gives; 0 at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TextError) -> Int {
    while true {
      let count = PTuneLibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw Self.unreadable(path) }
    }
  }

  /// The whole file in memory; a file above `limit` bytes is refused.
  static func contents(_ path: String, limit: Int = 1 << 28) throws(TextError) -> [UInt8] {
    let file = try ByteFile(path: path)
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    var count = 0
    while true {
      if count == bytes.count { bytes.append(contentsOf: repeatElement(0, count: count)) }
      let read: Result<Int, TextError> = bytes.withUnsafeMutableBytes { buffer in
        do throws(TextError) {
          return .success(try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...])))
        } catch { return .failure(error) }
      }
      let added = try read.get()
      if added == 0 { break }
      count += added
      if count > limit { throw .unreadable(path: path, reason: "it is larger than \(limit) bytes") }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// Whether there is a file (not a folder) at `path`.
  static func exists(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT != S_IFDIR
  }

  private static func unreadable(_ path: String) -> TextError {
    .unreadable(path: path, reason: String(cString: strerror(errno)))
  }
}
