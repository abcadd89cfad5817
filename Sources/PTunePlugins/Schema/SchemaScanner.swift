/// Reads the words of a schema string: the lexical half of its grammar.
struct SchemaScanner {
  private let bytes: [UInt8]
  private(set) var offset = 0

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  /// The next byte that is not blank, without taking it; `nil` at the end.
  var next: UInt8? {
    mutating get {
      skipBlanks()
      return offset < bytes.count ? bytes[offset] : nil
    }
  }

  /// Takes this ASCII text if it stands here.
  mutating func take(_ text: StaticString) -> Bool {
    skipBlanks()
    let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    guard bytes[offset...].starts(with: wanted) else { return false }
    offset += wanted.count
    return true
  }

  mutating func require(_ text: StaticString) throws(SchemaError) {
    guard take(text) else { throw expected("'\(text)'") }
  }

  /// A lower-case word of letters, digits and underscores.
  mutating func word(_ what: String) throws(SchemaError) -> String {
    skipBlanks()
    guard let first = next, isLower(first) else { throw expected(what) }
    return takeWhile { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "_") }
  }

  /// The characters of a number. A '.' that another '.' follows is the middle of a range instead.
  mutating func number(_ what: String) throws(SchemaError) -> String {
    skipBlanks()
    let start = offset
    var end = start
    func byte(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }
    while let character = byte(end) {
      let isSign = character == UInt8(ascii: "-") || character == UInt8(ascii: "+")
      let afterExponent = end > start && (bytes[end - 1] | 0x20) == UInt8(ascii: "e")
      let isPoint = character == UInt8(ascii: ".") && byte(end + 1) != UInt8(ascii: ".")
      let isExponent = end > start && (character | 0x20) == UInt8(ascii: "e")
      guard isDigit(character) || isPoint || isExponent || (isSign && (end == start || afterExponent)) else {
        break
      }
      end += 1
    }
    guard bytes[start..<end].contains(where: isDigit) else { throw expected(what) }
    offset = end
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// Text between double quotes, with the escapes \" \\ \n \t.
  mutating func text(_ what: String) throws(SchemaError) -> String {
    guard next == UInt8(ascii: "\"") else { throw expected(what) }
    let start = offset
    var result: [UInt8] = []
    offset += 1
    while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
      if bytes[offset] == UInt8(ascii: "\\"), offset + 1 < bytes.count {
        offset += 1
        switch bytes[offset] {
        case UInt8(ascii: "n"): result.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "t"): result.append(UInt8(ascii: "\t"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): result.append(bytes[offset])
        default: throw expected("one of the escapes \\\" \\\\ \\n \\t")
        }
      } else {
        result.append(bytes[offset])
      }
      offset += 1
    }
    guard offset < bytes.count else { throw error(.unclosedText, at: start) }
    offset += 1
    return String(decoding: result, as: UTF8.self)
  }

  /// One of the words between '|' in `{a|b}`: anything but blanks and the characters that end it, or quoted text.
  mutating func choice() throws(SchemaError) -> String {
    if next == UInt8(ascii: "\"") { return try text("a choice") }
    let word = takeWhile { !"|{}\" \t\n".utf8.contains($0) }
    guard !word.isEmpty else { throw expected("a choice") }
    return word
  }

  /// What is wrong at the current place.
  mutating func expected(_ what: String) -> SchemaError {
    skipBlanks()
    return error(.expected(what, found: found), at: offset)
  }

  func error(_ problem: SchemaError.Problem, at place: Int) -> SchemaError {
    let before = bytes[..<min(place, bytes.count)]
    let newline = UInt8(ascii: "\n")
    let lineStart = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
    return SchemaError(
      problem: problem, line: before.count { $0 == newline } + 1, column: before.count - lineStart + 1)
  }

  private var found: String {
    let rest = bytes[min(offset, bytes.count)...]
    guard let first = rest.first else { return "the end" }
    let word = rest.prefix { isLower($0 | 0x20) || isDigit($0) || $0 == UInt8(ascii: "_") }
    if !word.isEmpty { return "'\(String(decoding: word, as: UTF8.self))'" }
    if first < 0x80 { return "'\(Character(UnicodeScalar(first)))'" }
    return "'\(String(decoding: rest, as: UTF8.self).prefix(1))'"
  }

  private mutating func skipBlanks() {
    _ = takeWhile { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
  }

  private mutating func takeWhile(_ belongs: (UInt8) -> Bool) -> String {
    let start = offset
    while offset < bytes.count, belongs(bytes[offset]) { offset += 1 }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }
}

private func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
