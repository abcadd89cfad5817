/// A field of a row that is JSON.
public indirect enum FieldValue: Equatable, Sendable {
  /// A text.
  case text(String)
  /// A number.
  case number(Double)
  /// True or false.
  case flag(Bool)
  /// null
  case nothing
  /// Values in order.
  case list([FieldValue])
  /// Named values; of two with one name the last counts.
  case object([String: FieldValue])

  /// The text, if it is one.
  public var text: String? { if case .text(let text) = self { text } else { nil } }
  /// The number, if it is a whole one.
  public var integer: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }
  /// The elements, if it is a list.
  public var list: [FieldValue]? { if case .list(let values) = self { values } else { nil } }
  /// A member of an object.
  public subscript(name: String) -> FieldValue? {
    if case .object(let members) = self { members[name] } else { nil }
  }

  /// What makes one of each element; nil unless all are such.
  public func all<Element>(_ element: (FieldValue) -> Element?) -> [Element]? {
    guard let list else { return nil }
    let elements = list.compactMap(element)
    return elements.count == list.count ? elements : nil
  }
}

extension FieldValue {
  /// The value of a JSON text; nil for what is none.
  public init?(json: String) {
    guard let value = jsonValue(json) else { return nil }
    self = value
  }
}

/// The value of a JSON text; nil for what is none.
///
/// Source: RFC 8259. A plugin links the kit alone, so fields are read here.
func jsonValue(_ json: String) -> FieldValue? {
  var reader = JSONReader(rest: json.unicodeScalars[...])
  return reader.document()
}

/// The texts of a JSON list of strings; nil for anything else.
func jsonTexts(_ json: String) -> [String]? { jsonValue(json)?.all(\.text) }

private struct JSONReader {
  var rest: Substring.UnicodeScalarView
  private var depth = 0
  /// Deeper than any field of data.
  private static let deepest = 64

  init(rest: Substring.UnicodeScalarView) { self.rest = rest }

  mutating func document() -> FieldValue? {
    guard let value = value() else { return nil }
    skipBlanks()
    return rest.isEmpty ? value : nil
  }

  private mutating func value() -> FieldValue? {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.deepest else { return nil }
    skipBlanks()
    switch rest.first {
    case "\"": return text().map { .text($0) }
    case "[": return elements("]") { $0.value() }.map { .list($0) }
    case "{":
      let members = elements("}") { reader -> (String, FieldValue)? in
        guard let name = reader.text(), reader.take(":"), let value = reader.value() else { return nil }
        return (name, value)
      }
      return members.map { .object(Dictionary($0) { $1 }) }
    default: return scalar()
    }
  }

  /// What stands between an opening scalar and `end`.
  private mutating func elements<Element>(
    _ end: Unicode.Scalar, _ element: (inout JSONReader) -> Element?
  ) -> [Element]? {
    rest.removeFirst()
    var elements: [Element] = []
    if take(end) { return elements }
    repeat {
      guard let next = element(&self) else { return nil }
      elements.append(next)
    } while take(",")
    return take(end) ? elements : nil
  }

  /// A number, true, false or null.
  private mutating func scalar() -> FieldValue? {
    let letters = rest.prefix {
      $0.isASCII && ($0.properties.isAlphabetic || "+-.0123456789".unicodeScalars.contains($0))
    }
    rest.removeFirst(letters.count)
    switch String(String.UnicodeScalarView(letters)) {
    case "true": return .flag(true)
    case "false": return .flag(false)
    case "null": return .nothing
    case let word:
      // `Double` reads more than JSON: hexadecimal digits, infinities, a sign in front.
      guard let first = word.utf8.first, first == 0x2D || (0x30...0x39).contains(first),
        word.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) }), let number = Double(word),
        number.isFinite
      else { return nil }
      return .number(number)
    }
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
      default:
        guard scalar.value >= 0x20 else { return nil }
        text.append(scalar)
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
