/// A JSON value as it stands in the file: members in order, numbers as written.
enum JSONValue: Equatable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)
}

/// The members of a JSON object, in order; of members with one name the last counts.
struct JSONObject: Equatable {
  var keys: [String] = []
  var values: [JSONValue] = []

  subscript(key: String) -> JSONValue? {
    keys.lastIndex(of: key).map { values[$0] }
  }
}

/// What is wrong with a JSON text, and at which byte.
struct JSONProblem: Error {
  let offset: Int
  let reason: String
}

extension JSONValue {
  /// Parses a whole file of valid UTF-8, and turns a problem into an error with line and column.
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>, path: String) throws(TextError) -> JSONValue {
    if let invalid = UTF8Text.firstInvalid(bytes) {
      let place = place(of: invalid, in: bytes)
      throw .invalidUTF8(path: path, line: place.line, byte: place.column)
    }
    do {
      var parser = JSONParser(bytes)
      let value = try parser.value()
      try parser.end()
      return value
    } catch {
      let place = place(of: error.offset, in: bytes)
      throw .invalidJSON(path: path, line: place.line, column: place.column, reason: error.reason)
    }
  }

  private static func place(
    of offset: Int, in bytes: UnsafeBufferPointer<UInt8>
  ) -> (line: Int, column: Int) {
    let before = bytes[..<offset]
    let line = before.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    let begin = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return (line, offset - begin + 1)
  }
}
