import PTuneFormats

/// A JSON value that knows its file and the way to it, so that what is wrong can be said precisely.
struct JSONNode {
  let value: JSONValue
  let path: String
  /// The way from the top, `model.vocab`; empty at the top.
  let key: String

  /// The top of a file.
  init(contentsOf path: String) throws(TextError) {
    let bytes = try ByteFile.contents(path)
    if bytes.isEmpty { throw .emptyFile(path: path) }
    let parsed: Result<JSONValue, TextError> = bytes.withUnsafeBytes { buffer in
      do throws(JSONError) {
        return .success(try JSONValue.parse(bytes: buffer, options: Self.options))
      } catch {
        return .failure(TextError(error, path: path, bytes: buffer))
      }
    }
    self.init(value: try parsed.get(), path: path, key: "")
  }

  /// Of members with one name the last counts, as in the libraries that write these files.
  static let options = JSONOptions(duplicates: .keepLast)

  private init(value: JSONValue, path: String, key: String) {
    (self.value, self.path, self.key) = (value, path, key)
  }

  /// The member of an object; nil when it is missing or null.
  subscript(name: String) -> JSONNode? {
    guard case .object(let object) = value, let member = object[name], member != .null else { return nil }
    return JSONNode(value: member, path: path, key: key.isEmpty ? name : "\(key).\(name)")
  }

  /// The member of an object, which must be there and not be null.
  func member(_ name: String) throws(TextError) -> JSONNode {
    if let member = self[name] { return member }
    _ = try object()
    throw .missingKey(path: path, key: key.isEmpty ? name : "\(key).\(name)")
  }

  func object() throws(TextError) -> JSONObject {
    guard case .object(let object) = value else { throw invalid("an object") }
    return object
  }

  func array() throws(TextError) -> [JSONNode] {
    guard case .array(let elements) = value else { throw invalid("an array") }
    return elements.enumerated().map { JSONNode(value: $1, path: path, key: "\(key)[\($0)]") }
  }

  func string() throws(TextError) -> String {
    guard case .string(let text) = value else { throw invalid("a string") }
    return text
  }

  func bool() throws(TextError) -> Bool {
    guard case .bool(let bool) = value else { throw invalid("true or false") }
    return bool
  }

  /// A whole number from 0 to `limit`.
  func integer(below limit: Int) throws(TextError) -> Int {
    guard case .int(let number) = value, (0..<limit).contains(number) else {
      throw invalid("a whole number below \(limit)")
    }
    return number
  }

  /// A token id.
  func tokenID() throws(TextError) -> Int32 { Int32(try integer(below: Vocabulary.maximumID)) }

  /// The error for a value that is not what it should be.
  func invalid(_ expected: String) -> TextError { .invalidValue(path: path, key: key, expected: expected) }
}

extension TextError {
  /// What is wrong with a JSON text, in the words of this module.
  ///
  /// - Parameter line: the line of the file that the text begins on.
  init(_ error: JSONError, path: String, line: Int = 1, bytes: UnsafeRawBufferPointer) {
    let line = line + error.line - 1
    if error.problem == .encoding, let invalid = InvalidUTF8(bytes, path: path) {
      self = .invalidUTF8(path: path, line: line, byte: invalid.byte)
    } else {
      self = .invalidJSON(path: path, line: line, column: error.column, reason: error.problem.text)
    }
  }
}
