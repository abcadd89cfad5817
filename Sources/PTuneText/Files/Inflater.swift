import CPTuneInflate

/// Turns the bytes of a gzip or zstd file into those that it was made of.
final class Inflater {
  /// How a file is compressed.
  enum Method: String {
    case gzip, zstd

    /// What files that are compressed so begin with.
    private var mark: [UInt8] { self == .gzip ? [0x1F, 0x8B] : [0x28, 0xB5, 0x2F, 0xFD] }
    /// The library that reads it.
    private var library: String { self == .gzip ? "zlib (libz.so.1)" : "libzstd (libzstd.so.1)" }
    fileprivate var kind: ptune_compression { self == .gzip ? PTUNE_GZIP : PTUNE_ZSTD }

    /// The method of a file that begins with these bytes; nil for one that is not compressed.
    init?(_ start: some Collection<UInt8>) {
      guard let method = [Method.gzip, .zstd].first(where: { start.starts(with: $0.mark) }) else {
        return nil
      }
      self = method
    }

    /// An inflater.
    ///
    /// - Throws: `TextError.compressed` where the system does not have the library.
    fileprivate func open(_ path: String) throws(TextError) -> OpaquePointer {
      guard ptune_inflate_load(kind), let inflater = ptune_inflate_open(kind) else {
        throw .compressed(path: path, method: rawValue, problem: .library(library))
      }
      return inflater
    }
  }

  /// Text shrinks to a fifth or so; what grows beyond this many times its size is made to fill the memory.
  static let mostGrowth = 200
  /// So much may always come out.
  static let freeBytes = 1 << 26

  private let path: String
  private let method: Method
  private let inflater: OpaquePointer
  private var (taken, given) = (0, 0)
  /// Whether the last member or frame is complete.
  private var isComplete = true

  /// - Throws: `TextError.compressed` where the system does not have the library.
  init(_ method: Method, path: String) throws(TextError) {
    (self.method, self.path) = (method, path)
    inflater = try method.open(path)
  }

  deinit { ptune_inflate_close(inflater) }

  private func error(_ problem: TextError.CompressionProblem) -> TextError {
    .compressed(path: path, method: method.rawValue, problem: problem)
  }

  /// Fills some of the output.
  ///
  /// - Returns: how much of the input it took, and of the output it gave; more may come out of the same input.
  /// - Throws: `TextError.compressed` for what is damaged or grows beyond all measure.
  func inflate(
    _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
  ) throws(TextError) -> (taken: Int, given: Int) {
    // Without input, zlib would begin a member that does not follow.
    if input.isEmpty, isComplete { return (0, 0) }
    var (taken, given) = (0, 0)
    let state = ptune_inflate(
      inflater, input.baseAddress, input.count, &taken, output.baseAddress, output.count, &given)
    guard state != PTUNE_DAMAGED else { throw error(.damaged(byte: self.taken + taken)) }
    isComplete = state == PTUNE_INFLATED
    self.taken += taken
    self.given += given
    guard self.given <= Self.freeBytes + Self.mostGrowth * self.taken else {
      throw error(.growth(times: Self.mostGrowth))
    }
    return (taken, given)
  }

  /// At the end of the file.
  ///
  /// - Throws: `TextError.compressed` for one that was cut off.
  func finish() throws(TextError) {
    guard isComplete else { throw error(.truncated) }
  }
}
