import PTuneFormats
import PTuneLibc

/// A file (or standard input) that is read from front to back, closed when the last reference goes. One that is compressed
/// with gzip or zstd gives what it was made of.
final class ByteFile {
  let path: String
  private let descriptor: Int32
  /// Bytes of the file that nobody has taken yet.
  private var waiting: [UInt8] = []
  private var taken = 0
  private var isAtEnd = false
  private var inflater: Inflater?

  private static let inputChunk = 1 << 16

  /// Opens `path`, or standard input for `-`.
  init(path: String) throws(TextError) {
    self.path = path
    // NB: the system would end the path at a zero byte.
    guard !path.utf8.contains(0) else { throw .unreadable(path: path, reason: "a path has no zero bytes") }
    descriptor = try Self.open(path)
    // What a file begins with says how it is compressed, whatever it is called. One read may give fewer bytes.
    while waiting.count < 4, !isAtEnd { try fill() }
    if let method = Inflater.Method(waiting) {
      inflater = try Inflater(method, path: path)
    } else if let kind = ForeignFormat(waiting) {
      throw .foreign(path: path, kind)
    }
  }

  /// A descriptor of a file, or of standard input.
  private static func open(_ path: String) throws(TextError) -> Int32 {
    if path == InputPath.standardInput { return 0 }
    if FileSystem.isFolder(path) { throw .folder(path: path, files: DataFormat.files(in: path)) }
    // NB: a pipe that nobody writes to would let this wait for ever.
    let descriptor = PTuneLibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { throw unreadable(path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable(path) }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFIFO where path.hasPrefix("/dev/fd/") || path.hasPrefix("/proc/self/fd/"):
      // One end of a pipe that the shell made, `<(command)`: its other end is open already, so that waiting has an end.
      _ = fcntl(descriptor, F_SETFL, 0)
    default:
      close(descriptor)
      throw .unreadable(
        path: path,
        reason: "it is no ordinary file; hand a pipe over as standard input: - in place of the name")
    }
    return descriptor
  }

  deinit {
    if descriptor > 0 { close(descriptor) }
  }

  /// Reads more of the file itself behind what waits.
  private func fill() throws(TextError) {
    waiting.removeFirst(taken)
    taken = 0
    let before = waiting.count
    waiting.append(contentsOf: repeatElement(0, count: Self.inputChunk))
    let count: Result<Int, TextError> = waiting.withUnsafeMutableBytes { buffer in
      do throws(TextError) {
        return .success(try readFile(into: UnsafeMutableRawBufferPointer(rebasing: buffer[before...])))
      } catch { return .failure(error) }
    }
    waiting.removeLast(Self.inputChunk - (try count.get()))
    isAtEnd = waiting.count == before
  }

  /// Fills as much of `buffer` as one read gives; 0 at the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(TextError) -> Int {
    if let inflater { return try inflate(inflater, into: buffer) }
    guard taken < waiting.count else { return isAtEnd ? 0 : try readFile(into: buffer) }
    let count = min(buffer.count, waiting.count - taken)
    waiting.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[taken..<taken + count]))
    }
    taken += count
    return count
  }

  private func inflate(
    _ inflater: Inflater, into buffer: UnsafeMutableRawBufferPointer
  ) throws(TextError) -> Int {
    while true {
      if taken == waiting.count, !isAtEnd { try fill() }
      let moved: Result<(taken: Int, given: Int), TextError> = waiting.withUnsafeBytes { bytes in
        do throws(TextError) {
          return .success(
            try inflater.inflate(UnsafeRawBufferPointer(rebasing: bytes[taken...]), into: buffer))
        } catch { return .failure(error) }
      }
      let (input, output) = try moved.get()
      taken += input
      if output > 0 { return output }
      if isAtEnd, taken == waiting.count || input == 0 {
        try inflater.finish()
        return 0
      }
    }
  }

  private func readFile(into buffer: UnsafeMutableRawBufferPointer) throws(TextError) -> Int {
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
