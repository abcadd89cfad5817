import PTuneVisibleText

/// How JSON is laid out. Every layout is deterministic.
public struct JSONStyle: Sendable {
  /// Spaces per level, each member on a line of its own; nil for everything on one line.
  public var indentation: Int?
  /// Members by the UTF-8 bytes of their keys instead of in the given order.
  public var sortedKeys: Bool
  /// A space after each comma and colon, where everything stands on one line.
  public var spaced: Bool
  /// A line feed at the end.
  public var trailingNewline: Bool

  /// A layout of one's own.
  public init(
    indentation: Int? = 2, sortedKeys: Bool = false, spaced: Bool = true, trailingNewline: Bool = true
  ) {
    self.indentation = indentation
    self.sortedKeys = sortedKeys
    self.spaced = spaced
    self.trailingNewline = trailingNewline
  }

  /// Two spaces per level, members in the given order, a line feed at the end: for files people read.
  public static let pretty = JSONStyle()
  /// As `pretty`, with sorted keys: for files that are compared.
  public static let sorted = JSONStyle(sortedKeys: true)
  /// One line as Python's `json.dumps(…, ensure_ascii=False)` writes it, without a line feed: for JSONL.
  public static let line = JSONStyle(indentation: nil, trailingNewline: false)
  /// No spaces at all.
  public static let compact = JSONStyle(indentation: nil, spaced: false, trailingNewline: false)
}

extension JSONValue {
  /// The document as text. Characters beyond ASCII stay as they are, but for those that command a terminal or end a
  /// line for some readers; doubles have the fewest digits that read back as the same number, and are `null` where they
  /// are not finite.
  public func text(_ style: JSONStyle = .pretty) -> String {
    String(decoding: bytes(style), as: UTF8.self)
  }

  /// The document as UTF-8 bytes.
  public func bytes(_ style: JSONStyle = .pretty) -> [UInt8] {
    var writer = JSONWriter(style: style)
    writer.write(self, depth: 0)
    if style.trailingNewline { writer.bytes.append(0x0A) }
    return writer.bytes
  }
}

extension JSONValue {
  /// A document that another writer made, with the characters escaped in its strings that this one escapes.
  public static func escapingHidden(_ document: String) -> String {
    guard JSONWriter.mayHide(document) else { return document }
    return document.unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.value >= 0x7F, VisibleText.isHidden(scalar) {
        text += JSONWriter.escape(scalar)
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}

private struct JSONWriter {
  let style: JSONStyle
  var bytes: [UInt8] = []

  mutating func write(_ value: JSONValue, depth: Int) {
    switch value {
    case .null: put("null")
    case .bool(let value): put(value ? "true" : "false")
    case .int(let value): put(String(value))
    case .double(let value): put(value.isFinite ? value.description : "null")
    case .string(let value): write(value)
    case .array(let elements): write(elements, depth: depth)
    case .object(let object): write(object, depth: depth)
    }
  }

  private mutating func write(_ elements: [JSONValue], depth: Int) {
    guard !elements.isEmpty else { return put("[]") }
    put("[")
    for (place, element) in elements.enumerated() {
      separate(place, depth: depth + 1)
      write(element, depth: depth + 1)
    }
    breakLine(depth)
    put("]")
  }

  private mutating func write(_ object: JSONObject, depth: Int) {
    guard !object.isEmpty else { return put("{}") }
    var order = Array(0..<object.count)
    if style.sortedKeys { order.sort { ByteString.less(object.keys[$0], object.keys[$1]) } }
    put("{")
    for (place, member) in order.enumerated() {
      separate(place, depth: depth + 1)
      write(object.keys[member])
      put(style.indentation != nil || style.spaced ? ": " : ":")
      write(object.values[member], depth: depth + 1)
    }
    breakLine(depth)
    put("}")
  }

  private mutating func write(_ string: String) {
    put("\"")
    if Self.mayHide(string) {
      for scalar in string.unicodeScalars {
        if scalar.value >= 0x7F, VisibleText.isHidden(scalar) {
          put(Self.escape(scalar))
        } else {
          write(Unicode.UTF8.encode(scalar).map(Array.init) ?? [])
        }
      }
    } else {
      write(string.utf8)
    }
    put("\"")
  }

  /// Whether one of its bytes begins a character that is hidden and not a control character of ASCII.
  static func mayHide(_ string: String) -> Bool {
    string.utf8.contains { $0 == 0x7F || $0 == 0xC2 || $0 == 0xE2 || $0 == 0xEF }
  }

  static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  private mutating func write(_ text: some Sequence<UInt8>) {
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""): put("\\\"")
      case UInt8(ascii: "\\"): put("\\\\")
      case 0x08: put("\\b")
      case 0x09: put("\\t")
      case 0x0A: put("\\n")
      case 0x0C: put("\\f")
      case 0x0D: put("\\r")
      case 0..<0x20: put("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))")
      default: bytes.append(byte)
      }
    }
  }

  private mutating func separate(_ place: Int, depth: Int) {
    if place > 0 { put(style.indentation == nil && style.spaced ? ", " : ",") }
    breakLine(depth)
  }

  private mutating func breakLine(_ depth: Int) {
    guard let indentation = style.indentation else { return }
    bytes.append(0x0A)
    bytes.append(contentsOf: repeatElement(0x20, count: indentation * depth))
  }

  private mutating func put(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }
}
