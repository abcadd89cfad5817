import PTunePlugins

extension HyperparameterValue {
  /// What this is, for messages: "the integer 3".
  var found: String {
    switch self {
    case .bool(let value): "the boolean \(value)"
    case .int(let value): "the integer \(value)"
    case .double(let value): "the number \(value)"
    case .string(let value): "the text '\(Self.excerpt(value))'"
    case .strings: "a list"
    }
  }

  /// A text, or the beginning of a long one, on one line.
  private static func excerpt(_ text: String) -> String {
    guard text.count > 60 || text.contains(where: \.isNewline) else { return text }
    return text.prefix(60).split(whereSeparator: \.isWhitespace).joined(separator: " ") + "…"
  }

  /// What an unquoted scalar means, by the core schema of YAML 1.2: `yes`, `no`, `on` and `off` are text, so
  /// a label may be called "no". Unlike there `1e-3` is a number too. Nil for null.
  static func resolve(plain text: String) -> HyperparameterValue? {
    switch text {
    case "", "~", "null", "Null", "NULL": return nil
    case "true", "True", "TRUE": return .bool(true)
    case "false", "False", "FALSE": return .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .double(.infinity)
    case "-.inf", "-.Inf", "-.INF": return .double(-.infinity)
    case ".nan", ".NaN", ".NAN": return .double(.nan)
    default: return number(text) ?? .string(text)
    }
  }

  private static func number(_ text: String) -> HyperparameterValue? {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] where text.hasPrefix(prefix) {
      return Int(text.dropFirst(2), radix: radix).map { .int($0) }
    }
    let unsigned = text.drop { $0 == "-" || $0 == "+" }
    // Only what begins like a number: Swift would also read "inf" and "nan".
    guard text.utf8.count - unsigned.utf8.count <= 1, let first = unsigned.utf8.first,
      (0x30...0x39).contains(first) || first == UInt8(ascii: "."),
      unsigned.utf8.allSatisfy({ (0x30...0x39).contains($0) || ".eE+-".utf8.contains($0) })
    else { return nil }
    return Int(text).map { .int($0) } ?? Double(text).map { .double($0) }
  }
}
