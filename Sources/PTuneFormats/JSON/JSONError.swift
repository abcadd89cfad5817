/// Why a text is not JSON, and where.
public struct JSONError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// Something else stands where this was expected: "a value", "',' or '}'".
    case expected(String, found: String)
    /// The text ends where this was expected.
    case ended(expected: String)
    /// A number that JSON does not allow, or one beyond the range of a double.
    case number(String)
    /// A backslash followed by what is no escape.
    case escape(String)
    /// Half of a surrogate pair.
    case loneSurrogate
    /// A control character within a string.
    case controlCharacter(UInt8)
    /// Bytes that are not UTF-8.
    case encoding
    /// A key that occurs twice in an object.
    case duplicateKey(String)
    /// Arrays and objects within each other beyond the limit.
    case depth(limit: Int)
  }

  /// The file, as the user named it; nil for a text from elsewhere.
  public var file: String?
  /// The line, from 1.
  public let line: Int
  /// The column, in characters from 1.
  public let column: Int
  /// What is wrong.
  public let problem: Problem

  /// What to do about it.
  public var help: String? {
    switch problem {
    case .encoding: "save the file as UTF-8"
    case .ended: "the file may be truncated; fetch or write it again"
    case .duplicateKey(let key): "remove one of the members '\(key)'"
    default: nil
    }
  }
}

extension JSONError: HelpfulError {
  /// The place and the problem, in one line.
  public var description: String {
    let place = file.map { "\($0):\(line):\(column)" } ?? "line \(line), column \(column)"
    return "\(place): \(problem.text)"
  }
}

extension JSONError.Problem {
  /// The problem in words, without its place.
  public var text: String {
    switch self {
    case .expected(let expected, let found): "expected \(expected) but found \(found)"
    case .ended(let expected): "expected \(expected) but the text ends"
    case .number(let text): "'\(text)' is not a number that JSON allows"
    case .escape(let text): "'\\\(text)' is not an escape that JSON allows"
    case .loneSurrogate: "a \\u escape is half of a surrogate pair without the other half"
    case .controlCharacter(let byte):
      "a string contains the control character U+\(String(0x10000 + Int(byte), radix: 16, uppercase: true).dropFirst())"
    case .encoding: "the text is not UTF-8"
    case .duplicateKey(let key): "the key '\(key)' occurs twice in the same object"
    case .depth(let limit): "arrays and objects are nested more than \(limit) deep"
    }
  }
}
