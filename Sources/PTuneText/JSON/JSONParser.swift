/// A strict JSON parser (RFC 8259) over valid UTF-8; written here because it is several times faster than
/// Foundation's on a vocabulary, keeps numbers as written and says where a problem is.
struct JSONParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  /// The next byte to read.
  private(set) var position = 0
  private var depth = 0

  /// Deeper nesting is refused: the parser recurses.
  private static let maximumDepth = 256

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The value at the position, with white space around it consumed.
  mutating func value() throws(JSONProblem) -> JSONValue {
    skipSpace()
    let value = try bareValue()
    skipSpace()
    return value
  }

  /// Nothing but white space may follow.
  mutating func end() throws(JSONProblem) {
    skipSpace()
    if position < bytes.count { throw problem("unexpected text after the JSON value") }
  }

  /// An object, its members handed over one by one with the bytes of each value as they stand.
  mutating func members(
    _ body: (_ key: String, _ value: JSONValue, _ range: Range<Int>) -> Void
  ) throws(JSONProblem) {
    skipSpace()
    position += 1
    skipSpace()
    if take("}") { return }
    while true {
      guard peek() == UInt8(ascii: "\"") else { throw problem("expected a member name in quotes") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw problem("expected \":\" after a member name") }
      skipSpace()
      let begin = position
      let value = try bareValue()
      body(key, value, begin..<position)
      skipSpace()
      if take("}") { return }
      guard take(",") else { throw problem("expected \",\" or \"}\" in an object") }
      skipSpace()
    }
  }

  /// Whether the next value is an object.
  mutating func startsObject() -> Bool {
    skipSpace()
    return peek() == UInt8(ascii: "{")
  }

  private mutating func bareValue() throws(JSONProblem) -> JSONValue {
    guard let byte = peek() else { throw problem("the JSON text ends too early") }
    switch byte {
    case UInt8(ascii: "{"):
      try enter()
      var object = JSONObject()
      try members { key, value, _ in
        object.keys.append(key)
        object.values.append(value)
      }
      depth -= 1
      return .object(object)
    case UInt8(ascii: "["):
      try enter()
      let array = try array()
      depth -= 1
      return .array(array)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    default:
      if take("true") { return .bool(true) }
      if take("false") { return .bool(false) }
      if take("null") { return .null }
      throw problem("expected a JSON value")
    }
  }

  private mutating func enter() throws(JSONProblem) {
    depth += 1
    if depth > Self.maximumDepth { throw problem("nested deeper than \(Self.maximumDepth)") }
  }

  private mutating func array() throws(JSONProblem) -> [JSONValue] {
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return elements }
    while true {
      elements.append(try value())
      if take("]") { return elements }
      guard take(",") else { throw problem("expected \",\" or \"]\" in an array") }
    }
  }

  private mutating func number() throws(JSONProblem) -> String {
    let begin = position
    _ = take("-")
    if !take("0"), digits() == 0 { throw problem("expected a digit") }
    if take("."), digits() == 0 { throw problem("expected a digit") }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      if digits() == 0 { throw problem("expected a digit") }
    }
    return text(begin..<position)
  }

  private mutating func digits() -> Int {
    let begin = position
    while let byte = peek(), (0x30...0x39).contains(byte) { position += 1 }
    return position - begin
  }

  private mutating func string() throws(JSONProblem) -> String {
    position += 1
    let begin = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        position += 1
        return text(begin..<position - 1)
      }
      if byte == UInt8(ascii: "\\") { return try escapedString(from: begin) }
      if byte < 0x20 { throw problem("a control character in a string must be escaped") }
      position += 1
    }
    throw problem("the JSON text ends inside a string")
  }

  /// The slow way, from the first escape on.
  private mutating func escapedString(from begin: Int) throws(JSONProblem) -> String {
    var result = Array(bytes[begin..<position])
    while let byte = peek() {
      if byte < 0x20 { throw problem("a control character in a string must be escaped") }
      position += 1
      if byte == UInt8(ascii: "\"") { return String(decoding: result, as: UTF8.self) }
      if byte == UInt8(ascii: "\\") { try escape(into: &result) } else { result.append(byte) }
    }
    throw problem("the JSON text ends inside a string")
  }

  private mutating func escape(into result: inout [UInt8]) throws(JSONProblem) {
    guard let byte = peek() else { throw problem("the JSON text ends inside a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): result.append(0x0A)
    case UInt8(ascii: "t"): result.append(0x09)
    case UInt8(ascii: "r"): result.append(0x0D)
    case UInt8(ascii: "b"): result.append(0x08)
    case UInt8(ascii: "f"): result.append(0x0C)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
    case UInt8(ascii: "u"):
      var scalar = try codeUnit()
      if (0xD800..<0xDC00).contains(scalar), take("\\u") {
        let low = try codeUnit()
        guard (0xDC00..<0xE000).contains(low) else { throw problem("an unpaired surrogate in a string") }
        scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
      }
      if (0xD800..<0xE000).contains(scalar) { throw problem("an unpaired surrogate in a string") }
      UTF8Text.append(scalar, to: &result)
    default:
      position -= 1
      throw problem("an unknown escape in a string")
    }
  }

  private mutating func codeUnit() throws(JSONProblem) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw problem("expected four hexadecimal digits")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: UnsafeBufferPointer(rebasing: bytes[range]), as: UTF8.self)
  }

  @inline(__always)
  private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

  @inline(__always)
  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ expected: StaticString) -> Bool {
    let count = expected.utf8CodeUnitCount
    guard bytes.count - position >= count else { return false }
    for offset in 0..<count where bytes[position + offset] != expected.utf8Start[offset] { return false }
    position += count
    return true
  }

  private func problem(_ reason: String) -> JSONProblem { JSONProblem(offset: position, reason: reason) }
}
