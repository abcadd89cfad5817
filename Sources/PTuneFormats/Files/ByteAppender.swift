import PTuneLibc

/// Appends records of bytes to a file that others may be reading: each record is one write.
public struct ByteAppender: ~Copyable {
  private let path: String
  private let descriptor: Int32

  /// Opens the file, or makes it, in a folder that exists. A link is not followed.
  public init(_ path: String) throws(FileError) {
    descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw FileError(.create, path) }
    self.path = path
  }

  deinit {
    close(descriptor)
  }

  /// Appends a record.
  public func append(_ bytes: [UInt8]) throws(FileError) {
    try writeAll(bytes, to: descriptor, path: path)
  }

  /// Waits until all records are on the disk.
  public func sync() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError(.sync, path) }
  }
}
