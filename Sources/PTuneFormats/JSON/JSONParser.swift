/// How strictly JSON is read.
public struct JSONOptions: Sendable {
  /// What happens where a key occurs twice in an object.
  public enum Duplicates: Sendable {
    /// An error.
    case reject
    /// The last one stays, as with Python's `json`.
    case keepLast
  }

  /// Arrays and objects within each other beyond this are an error.
  public var depth: Int
  /// What happens where a key occurs twice in an object.
  public var duplicates: Duplicates

  /// Options with the defaults 128 and reject.
  public init(depth: Int = 128, duplicates: Duplicates = .reject) {
    self.depth = depth
    self.duplicates = duplicates
  }
}

extension JSONValue {
  /// Parses a text as RFC 8259 has it, nothing more; a byte order mark is skipped.
  ///
  /// - Parameter file: the name to show in errors.
  public static func parse(
    _ text: String, file: String? = nil, options: JSONOptions = JSONOptions()
  ) throws(JSONError) -> JSONValue {
    var text = text
    let result = text.withUTF8 { bytes in
      Result<JSONValue, JSONError> { () throws(JSONError) in
        try parse(bytes: UnsafeRawBufferPointer(bytes), file: file, options: options)
      }
    }
    return try result.get()
  }

  /// Parses UTF-8 bytes as RFC 8259 has it, nothing more; a byte order mark is skipped.
  ///
  /// - Parameter file: the name to show in errors.
  public static func parse(
    bytes: UnsafeRawBufferPointer, file: String? = nil, options: JSONOptions = JSONOptions()
  ) throws(JSONError) -> JSONValue {
    var parser = JSONParser(bytes: bytes, options: options)
    do throws(JSONError) {
      return try parser.document()
    } catch {
      throw JSONError(file: file, line: error.line, column: error.column, problem: error.problem)
    }
  }

  /// Parses the text of one object and hands its members over in order, each with the bytes of its value as they
  /// stand, for a reader that wants numbers as they were written. A key may come twice.
  ///
  /// - Returns: false if the text is well-formed JSON but no object.
  public static func parseMembers(
    bytes: UnsafeRawBufferPointer, file: String? = nil, options: JSONOptions = JSONOptions(),
    _ body: (_ key: String, _ value: JSONValue, _ range: Range<Int>) -> Void
  ) throws(JSONError) -> Bool {
    var parser = JSONParser(bytes: bytes, options: options)
    do throws(JSONError) {
      return try parser.documentMembers(body)
    } catch {
      throw JSONError(file: file, line: error.line, column: error.column, problem: error.problem)
    }
  }

  /// Reads and parses a file. Throws FileError or JSONError.
  public static func read(_ path: String, options: JSONOptions = JSONOptions()) throws -> JSONValue {
    try MappedFile(text: path).withBytes { try parse(bytes: $0, file: path, options: options) }
  }
}

/// A recursive descent over UTF-8 bytes that were checked before.
struct JSONParser {
  let bytes: UnsafeRawBufferPointer
  let options: JSONOptions
  var at = 0
  private var depth = 0

  init(bytes: UnsafeRawBufferPointer, options: JSONOptions) {
    self.bytes = bytes
    self.options = options
  }

  mutating func document() throws(JSONError) -> JSONValue {
    try begin()
    let value = try value()
    try end()
    return value
  }

  mutating func documentMembers(
    _ body: (_ key: String, _ value: JSONValue, _ range: Range<Int>) -> Void
  ) throws(JSONError) -> Bool {
    try begin()
    let isObject = at < bytes.count && bytes[at] == UInt8(ascii: "{")
    if isObject {
      try members { key, value, range, _ in body(key, value, range) }
    } else {
      _ = try value()
    }
    try end()
    return isObject
  }

  private mutating func begin() throws(JSONError) {
    if let invalid = UTF8Text.firstInvalid(bytes) { throw error(.encoding, at: invalid) }
    if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { at = 3 }
    skipSpace()
  }

  private mutating func end() throws(JSONError) {
    skipSpace()
    guard at == bytes.count else { throw unexpected("the end of the text") }
  }

  private mutating func value() throws(JSONError) -> JSONValue {
    guard at < bytes.count else { throw error(.ended(expected: "a value")) }
    switch bytes[at] {
    case UInt8(ascii: "{"): return try object()
    case UInt8(ascii: "["): return try array()
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw unexpected("a value")
    }
  }

  private mutating func object() throws(JSONError) -> JSONValue {
    var object = JSONObject()
    var duplicate: (key: String, start: Int)?
    let keepsLast = options.duplicates == .keepLast
    try members { key, value, _, start in
      if object.append(key, value) { return }
      if keepsLast { object[key] = value } else if duplicate == nil { duplicate = (key, start) }
    }
    if let duplicate { throw error(.duplicateKey(duplicate.key), at: duplicate.start) }
    return .object(object)
  }

  /// The members of the object that begins here: key, value, the value's bytes, and where the key begins.
  private mutating func members(
    _ body: (_ key: String, _ value: JSONValue, _ range: Range<Int>, _ start: Int) -> Void
  ) throws(JSONError) {
    try enter()
    if !take(UInt8(ascii: "}")) {
      repeat {
        skipSpace()
        let start = at
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
        let key = try string()
        skipSpace()
        guard take(UInt8(ascii: ":")) else { throw unexpected("':'") }
        skipSpace()
        let begin = at
        let value = try value()
        body(key, value, begin..<at, start)
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "}")) else { throw unexpected("',' or '}'") }
    }
    depth -= 1
  }

  private mutating func array() throws(JSONError) -> JSONValue {
    try enter()
    var elements: [JSONValue] = []
    if !take(UInt8(ascii: "]")) {
      repeat {
        skipSpace()
        elements.append(try value())
        skipSpace()
      } while take(UInt8(ascii: ","))
      guard take(UInt8(ascii: "]")) else { throw unexpected("',' or ']'") }
    }
    depth -= 1
    return .array(elements)
  }

  /// Steps over the opening bracket.
  private mutating func enter() throws(JSONError) {
    depth += 1
    guard depth <= options.depth else { throw error(.depth(limit: options.depth)) }
    at += 1
    skipSpace()
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
    let length = word.utf8CodeUnitCount
    for offset in 0..<length {
      guard at + offset < bytes.count, bytes[at + offset] == word.utf8Start[offset] else {
        throw unexpected("a value")
      }
    }
    at += length
    return value
  }

  mutating func skipSpace() {
    while at < bytes.count {
      switch bytes[at] {
      case 0x20, 0x09, 0x0A, 0x0D: at += 1
      default: return
      }
    }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard at < bytes.count, bytes[at] == byte else { return false }
    at += 1
    return true
  }

  func unexpected(_ expected: String) -> JSONError {
    guard at < bytes.count else { return error(.ended(expected: expected)) }
    // The character as it stands there; the bytes are known to be UTF-8.
    let rest = String(decoding: bytes[at..<min(at + 4, bytes.count)], as: UTF8.self)
    let character = rest.unicodeScalars.first.map { "'\($0)'" } ?? "nothing"
    return error(.expected(expected, found: bytes[at] < 0x20 ? "a control character" : character))
  }

  func error(_ problem: JSONError.Problem, at offset: Int? = nil) -> JSONError {
    let offset = offset ?? at
    var line = 1
    var start = 0
    for place in 0..<offset where bytes[place] == 0x0A {
      line += 1
      start = place + 1
    }
    let column = bytes[start..<offset].count { $0 & 0xC0 != 0x80 } + 1
    return JSONError(file: nil, line: line, column: column, problem: problem)
  }
}
