import PTuneLibc

/// A file's content, mapped into memory: pages are read when they are touched and cost no memory of ours.
///
/// NB: a file that another process shortens while it is mapped makes reading the lost pages fatal (SIGBUS).
/// What ptune writes itself is always replaced, never shortened.
public final class MappedFile: @unchecked Sendable {
  // @unchecked: the mapping is read-only and lives as long as the object, so any thread may read it.

  /// The path as it was given.
  public let path: String
  /// The content. NB: valid only as long as this object lives, which ends at its last use: `withBytes` is
  /// safer.
  public let unsafeBytes: UnsafeRawBufferPointer

  /// Maps a file. Throws FileError; a folder is EISDIR.
  ///
  /// - Parameter followsLink: Whether a link at `path` will do.
  public init(_ path: String, followsLink: Bool = true) throws(FileError) {
    self.path = path
    guard FilePath.isPossible(path) else { throw FileError(.open, path, code: ENOENT) }
    // NB: a pipe that nobody writes to would let this wait for ever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followsLink ? 0 : O_NOFOLLOW))
    guard descriptor >= 0 else { throw FileError(.open, path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError(.read, path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw FileError(.read, path, code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      unsafeBytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw FileError(.map, path)
    }
    unsafeBytes = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit {
    if let start = unsafeBytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: start), unsafeBytes.count)
    }
  }

  /// Gives the memory back that a part of a mapped file takes, whole pages of it.
  static func discardPages(of bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let address = Int(bitPattern: start)
    let skipped = (page - address % page) % page
    let count = (bytes.count - skipped) / page * page
    guard count > 0 else { return }
    // Private and never written to, so nothing is lost. Where the system does not do it, it is no harm.
    madvise(UnsafeMutableRawPointer(mutating: start + skipped), count, Int32(MADV_DONTNEED))
  }

  /// Calls `body` with the content, which is valid until it returns.
  public func withBytes<Result, Failure>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(unsafeBytes)
  }
}
