/// Cuts a JSON list, line by line, into the texts of its elements, so that memory does not grow with the list. What is
/// within an element is not looked at but for strings and brackets.
final class JSONElements {
  private let lines: LineReader
  private let path: String
  /// The line that is being read, and the place in it.
  private var line: [UInt8]
  private var number: Int
  private var place = 0
  /// Whether the list's bracket was read, and the closing one.
  private var hasBegun = false
  private var hasEnded = false
  /// Whether an element must follow: behind a comma.
  private var wantsElement = false

  /// - Parameter first: the line that begins with the list's bracket.
  init(_ lines: LineReader, path: String, first: Line) {
    (self.lines, self.path, line, number) = (lines, path, Array(first.bytes), first.number)
  }

  /// The next element and the line that it begins on; nil behind the last one.
  ///
  /// - Throws: `TextError.invalidJSON` for a list that is not closed, or for what follows it.
  func next() throws(TextError) -> (bytes: [UInt8], line: Int)? {
    if !hasBegun {
      _ = try nextByte()
      hasBegun = true
    }
    guard let first = try nextByte() else {
      if hasEnded { return nil }
      throw wrong("the list is not closed")
    }
    guard !hasEnded else { throw wrong("text follows the list") }
    if first == UInt8(ascii: "]") {
      guard !wantsElement else { throw wrong("expected a value behind the comma") }
      hasEnded = true
      return try next()
    }
    place -= 1
    return try element()
  }

  private func element() throws(TextError) -> (bytes: [UInt8], line: Int) {
    let begin = number
    var bytes: [UInt8] = []
    var (depth, isString, isEscaped) = (0, false, false)
    while true {
      while place < line.count {
        let byte = line[place]
        place += 1
        if isString {
          if !isEscaped, byte == UInt8(ascii: "\"") { isString = false }
          isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        } else {
          switch byte {
          case UInt8(ascii: "\""): isString = true
          case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
          case UInt8(ascii: ",") where depth == 0:
            wantsElement = true
            return (bytes, begin)
          case UInt8(ascii: "]") where depth == 0:
            hasEnded = true
            return (bytes, begin)
          case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
          default: break
          }
        }
        bytes.append(byte)
      }
      guard bytes.count <= lines.limit else {
        throw .lineTooLong(path: path, line: begin, limit: lines.limit)
      }
      // JSON has no line break within a string, and between values it is a blank.
      bytes.append(isString ? 0x0A : 0x20)
      guard try nextLine() else { throw wrong("the list is not closed") }
    }
  }

  /// The next byte that is no blank; nil at the end of the file.
  private func nextByte() throws(TextError) -> UInt8? {
    while true {
      while place < line.count {
        let byte = line[place]
        place += 1
        if ![0x20, 0x09, 0x0D].contains(byte) { return byte }
      }
      guard try nextLine() else { return nil }
    }
  }

  private func nextLine() throws(TextError) -> Bool {
    guard let next = try lines.next() else { return false }
    (line, number, place) = (Array(next.bytes), next.number, 0)
    return true
  }

  private func wrong(_ reason: String) -> TextError {
    .invalidJSON(path: path, line: number, column: max(1, place), reason: reason)
  }
}
