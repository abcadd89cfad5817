import PTuneLibc

/// Appends lines to a file that others may be reading, such as `metrics.jsonl`: each line is one write, so a
/// reader sees it whole or not at all. One process writes to the file at a time.
public struct LineAppender: ~Copyable {
  private let path: String
  private let descriptor: Int32

  /// Opens the file, or makes it, in a folder that exists. The half of a line that a crash may have left at
  /// its end is cut off. A link is not followed.
  public init(_ path: String) throws(FileError) {
    let descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw FileError(.create, path) }
    do throws(FileError) {
      try Self.cutHalfLine(of: descriptor, path)
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Appends a line; the line feed is added. If the disk is full nothing of the line stays.
  public func append(_ line: String) throws(FileError) {
    let before = Self.fileSize(descriptor)
    do throws(FileError) {
      try writeAll(Array(line.utf8) + [0x0A], to: descriptor, path: path)
    } catch {
      if let before { ftruncate(descriptor, off_t(before)) }
      throw error
    }
  }

  /// Appends a JSON document on one line.
  public func append(_ value: JSONValue) throws(FileError) {
    try append(value.text(.line))
  }

  /// Waits until all lines are on the disk.
  public func sync() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError(.sync, path) }
  }

  /// The size of an ordinary file, or nil for a device or a pipe.
  private static func fileSize(_ descriptor: Int32) -> Int? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int(status.st_size)
  }

  private static func cutHalfLine(of descriptor: Int32, _ path: String) throws(FileError) {
    guard let size = fileSize(descriptor), size > 0 else { return }
    var block = [UInt8](repeating: 0, count: 4096)
    var end = size
    while end > 0 {
      let start = max(0, end - block.count)
      let count = pread(descriptor, &block, end - start, off_t(start))
      guard count == end - start else { throw FileError(.read, path, code: count < 0 ? errno : EIO) }
      if let feed = block[..<count].lastIndex(of: 0x0A) {
        end = start + feed + 1
        break
      }
      end = start
    }
    if end < size, ftruncate(descriptor, off_t(end)) != 0 { throw FileError(.write, path) }
  }
}
