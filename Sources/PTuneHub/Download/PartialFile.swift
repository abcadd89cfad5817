import PTuneFormats
import PTuneLibc

/// A file on its way: `ETAG.incomplete`, which an interrupted download leaves and the next one goes on with. Where another
/// process writes to it, this is one of our own, which nobody goes on with.
final class PartialFile {
  private let path: String
  private let descriptor: Int32
  private let isShared: Bool
  /// Bytes that are there.
  private(set) var size: Int

  /// Opens the file, or makes it.
  init(beside blob: String) throws(FileError) {
    if let (descriptor, size) = try Self.lock("\(blob).incomplete") {
      (path, self.descriptor, self.size, isShared) = ("\(blob).incomplete", descriptor, size, true)
      return
    }
    let number = UInt32.random(in: 0...UInt32.max)
    path = "\(blob).\(String(number, radix: 16)).incomplete"
    descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileError(.create, path) }
    (size, isShared) = (0, false)
  }

  deinit {
    close(descriptor)
    if !isShared { unlink(path) }
  }

  /// Opens a file that no other process writes to; nil if one does.
  private static func lock(_ path: String) throws(FileError) -> (descriptor: Int32, size: Int)? {
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
      guard descriptor >= 0 else { throw FileError(.create, path) }
      if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
        let code = errno
        close(descriptor)
        if code == EINTR { continue }
        return nil
      }
      // Whoever had the lock before may have put the file in its place meanwhile.
      var (opened, there) = (stat(), stat())
      guard fstat(descriptor, &opened) == 0 else {
        close(descriptor)
        throw FileError(.read, path)
      }
      if stat(path, &there) == 0, there.st_ino == opened.st_ino, there.st_dev == opened.st_dev {
        return (descriptor, Int(opened.st_size))
      }
      close(descriptor)
    }
  }

  /// The checksum of what is there.
  func checksum(tag: String, size: Int?) throws(FileError) -> BlobChecksum {
    var checksum = BlobChecksum(tag: tag, size: size)
    var (block, start) = ([UInt8](repeating: 0, count: 1 << 20), 0)
    while start < self.size {
      let count = pread(descriptor, &block, min(block.count, self.size - start), off_t(start))
      guard count > 0 else { throw FileError(.read, path, code: count < 0 ? errno : EIO) }
      block.withUnsafeBytes { checksum.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      start += count
    }
    return checksum
  }

  /// Appends bytes.
  func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    var rest = bytes
    while let start = rest.baseAddress, !rest.isEmpty {
      let written = pwrite(descriptor, start, rest.count, off_t(size))
      if written < 0 {
        if errno == EINTR { continue }
        throw FileError(.write, path)
      }
      size += written
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
    }
  }

  /// Begins anew.
  func empty() throws(FileError) {
    guard ftruncate(descriptor, 0) == 0 else { throw FileError(.write, path) }
    size = 0
  }

  /// Takes the file away: nobody should go on with it.
  func remove() throws(FileError) { try FileSystem.removeFile(path) }

  /// Puts the file in its place, on the disk and whole.
  func commit(to blob: String) throws(FileError) {
    guard fsync(descriptor) == 0 else { throw FileError(.sync, path) }
    guard rename(path, blob) == 0 else { throw FileError(.replace, blob) }
  }
}
