import PTuneFormats
import PTuneLibc

/// One line of a file, without its newline.
struct Line {
  /// Counts from 1.
  let number: Int
  /// The bytes, valid UTF-8 without NUL; they may end with a carriage return. Valid until the next line is read.
  let bytes: UnsafeBufferPointer<UInt8>

  /// The bytes without a carriage return at the end.
  var trimmed: UnsafeBufferPointer<UInt8> {
    bytes.last == UInt8(ascii: "\r") ? UnsafeBufferPointer(rebasing: bytes.dropLast()) : bytes
  }

  /// The text without a carriage return at the end.
  var text: String { String(decoding: trimmed, as: UTF8.self) }
}

/// Reads a file line by line in chunks: memory does not grow with the file.
final class LineReader {
  let path: String
  /// A longer line is refused.
  let limit: Int
  private let file: ByteFile
  private var buffer: UnsafeMutableRawBufferPointer
  /// The bytes in `buffer` that no line has taken yet.
  private var unread = 0..<0
  private var isAtEnd = false
  private var number = 0

  static let usualLimit = 1 << 26

  /// Opens `path`, or standard input for `-`.
  init(path: String, limit: Int = usualLimit, chunk: Int = 1 << 18) throws(TextError) {
    self.path = path
    self.limit = limit
    file = try ByteFile(path: path)
    buffer = .allocate(byteCount: chunk, alignment: 16)
    // NB: a byte order mark has three bytes, and one read may give fewer.
    while unread.count < 3, try fill() {}
    let start = Array(buffer[unread].prefix(3))
    if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) { throw .utf16(path: path) }
    if start == [0xEF, 0xBB, 0xBF] { unread = unread.lowerBound + 3..<unread.upperBound }
    if unread.isEmpty, try !fill() { throw .emptyFile(path: path) }
  }

  deinit { buffer.deallocate() }

  /// The next line, or nil at the end. A newline at the end of the file begins no further line.
  func next() throws(TextError) -> Line? {
    var searched = 0
    while true {
      let begin = unread.lowerBound
      if let newline = newline(from: begin + searched) {
        unread = newline + 1..<unread.upperBound
        return try line(begin..<newline)
      }
      searched = unread.count
      if searched > limit { throw .lineTooLong(path: path, line: number + 1, limit: limit) }
      if try fill() { continue }
      if unread.isEmpty { return nil }
      let rest = unread
      unread = rest.upperBound..<rest.upperBound
      return try line(rest)
    }
  }

  /// A file of one line that holds carriage returns has lines that end with these alone.
  ///
  /// - Throws: `TextError.carriageReturns`.
  func checkEnd(of line: Line) throws(TextError) {
    guard line.number == 1, unread.isEmpty, line.trimmed.contains(UInt8(ascii: "\r")), try !fill() else {
      return
    }
    throw .carriageReturns(path: path)
  }

  private func line(_ range: Range<Int>) throws(TextError) -> Line {
    number += 1
    let bytes = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[range]).bindMemory(
      to: UInt8.self)
    if let invalid = UTF8Text.firstInvalid(bytes) {
      throw .invalidUTF8(path: path, line: number, byte: invalid + 1)
    }
    if let zero = bytes.firstIndex(of: 0) { throw .nulByte(path: path, line: number, byte: zero + 1) }
    return Line(number: number, bytes: bytes)
  }

  private func newline(from begin: Int) -> Int? {
    guard begin < unread.upperBound, let base = buffer.baseAddress,
      let found = memchr(base + begin, 0x0A, unread.upperBound - begin)
    else { return nil }
    return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
  }

  /// Reads another chunk behind what is unread; false at the end of the file.
  private func fill() throws(TextError) -> Bool {
    if isAtEnd { return false }
    if unread.lowerBound > 0 {
      buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + unread.lowerBound, byteCount: unread.count)
      unread = 0..<unread.count
    }
    if unread.count == buffer.count {
      let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: buffer.count * 2, alignment: 16)
      larger.copyMemory(from: UnsafeRawBufferPointer(buffer))
      buffer.deallocate()
      buffer = larger
    }
    let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[unread.upperBound...]))
    unread = 0..<unread.count + count
    isAtEnd = count == 0
    return !isAtEnd
  }
}
