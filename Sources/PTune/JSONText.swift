/// A value of a prediction: what JSON can say.
public indirect enum PredictionValue {
  /// A text.
  case text(String)
  /// A number; null where it is not finite.
  case number(Double)
  /// A whole number.
  case integer(Int)
  /// Values in order.
  case list([PredictionValue])
  /// Named values, in this order.
  case object([(String, PredictionValue)])

  var json: String {
    switch self {
    case .text(let text): jsonText(text)
    case .number(let number): jsonNumber(number)
    case .integer(let number): "\(number)"
    case .list(let values): "[\(values.map(\.json).joined(separator: ", "))]"
    case .object(let members):
      "{\(members.map { "\(jsonText($0.0)): \($0.1.json)" }.joined(separator: ", "))}"
    }
  }
}

func jsonNumber(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

func jsonText(_ text: String) -> String {
  var json = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": json += "\\\""
    case "\\": json += "\\\\"
    case "\n": json += "\\n"
    case "\t": json += "\\t"
    case "\r": json += "\\r"
    case let control where control.value < 0x20:
      let digits = String(control.value, radix: 16)
      json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: json.unicodeScalars.append(scalar)
    }
  }
  return json + "\""
}

/// The texts of a JSON list of strings; nil for anything else.
///
/// Source: RFC 8259. A plugin links the kit alone, so this one shape is read here.
func jsonTexts(_ json: String) -> [String]? {
  var reader = TextListReader(rest: json.unicodeScalars[...])
  return reader.list()
}

private struct TextListReader {
  var rest: Substring.UnicodeScalarView

  mutating func list() -> [String]? {
    var texts: [String] = []
    guard take("[") else { return nil }
    if !take("]") {
      repeat {
        guard let text = text() else { return nil }
        texts.append(text)
      } while take(",")
      guard take("]") else { return nil }
    }
    skipBlanks()
    return rest.isEmpty ? texts : nil
  }

  private mutating func skipBlanks() {
    while let next = rest.first, next == " " || next == "\t" || next == "\n" || next == "\r" {
      rest.removeFirst()
    }
  }

  /// Takes this scalar, after blanks, if it is next.
  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func text() -> String? {
    guard take("\"") else { return nil }
    var text = String.UnicodeScalarView()
    while let scalar = rest.popFirst() {
      switch scalar {
      case "\"": return String(text)
      case "\\":
        guard let escaped = escape() else { return nil }
        text.append(escaped)
      default: text.append(scalar)
      }
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    switch rest.popFirst() {
    case "n": return "\n"
    case "t": return "\t"
    case "r": return "\r"
    case "b": return "\u{8}"
    case "f": return "\u{c}"
    case "u":
      guard let first = unit() else { return nil }
      guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
      guard rest.popFirst() == "\\", rest.popFirst() == "u", let second = unit(),
        UTF16.isTrailSurrogate(second)
      else { return nil }
      return Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + UInt32(second) - 0xDC00)
    case let other?: return other == "\"" || other == "\\" || other == "/" ? other : nil
    case nil: return nil
    }
  }

  /// Four hexadecimal digits.
  private mutating func unit() -> UInt16? {
    let digits = rest.prefix(4)
    guard digits.count == 4, digits.allSatisfy(\.properties.isASCIIHexDigit) else { return nil }
    rest.removeFirst(4)
    return UInt16(String(String.UnicodeScalarView(digits)), radix: 16)
  }
}
