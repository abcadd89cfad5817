extension JSONParser {
  /// A string, from its opening to behind its closing quote.
  mutating func string() throws(JSONError) -> String {
    at += 1
    let start = at
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        return String(decoding: bytes[start..<at - 1], as: UTF8.self)
      case UInt8(ascii: "\\"): return try stringWithEscapes(from: start)
      case 0..<0x20: throw error(.controlCharacter(bytes[at]))
      default: at += 1
      }
    }
    throw error(.ended(expected: "'\"'"))
  }

  private mutating func stringWithEscapes(from start: Int) throws(JSONError) -> String {
    var unescaped = [UInt8](bytes[start..<at])
    while at < bytes.count {
      let byte = bytes[at]
      switch byte {
      case UInt8(ascii: "\""):
        at += 1
        return String(decoding: unescaped, as: UTF8.self)
      case UInt8(ascii: "\\"): try escape(into: &unescaped)
      case 0..<0x20: throw error(.controlCharacter(byte))
      default:
        unescaped.append(byte)
        at += 1
      }
    }
    throw error(.ended(expected: "'\"'"))
  }

  private mutating func escape(into unescaped: inout [UInt8]) throws(JSONError) {
    let start = at
    guard at + 1 < bytes.count else { throw error(.ended(expected: "an escape")) }
    let letter = bytes[at + 1]
    at += 2
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(letter)
    case UInt8(ascii: "b"): unescaped.append(0x08)
    case UInt8(ascii: "f"): unescaped.append(0x0C)
    case UInt8(ascii: "n"): unescaped.append(0x0A)
    case UInt8(ascii: "r"): unescaped.append(0x0D)
    case UInt8(ascii: "t"): unescaped.append(0x09)
    case UInt8(ascii: "u"): unescaped.append(contentsOf: try unicodeEscape(from: start).utf8)
    default:
      at = start + 1
      let rest = String(decoding: bytes[at..<min(at + 4, bytes.count)], as: UTF8.self)
      let shown = rest.unicodeScalars.first.map { String($0) } ?? ""
      throw error(.escape(shown), at: start)
    }
  }

  /// The character of `\uXXXX`, or of two of them that are a surrogate pair.
  private mutating func unicodeEscape(from start: Int) throws(JSONError) -> String {
    let first = try hexadecimal(from: start)
    if let scalar = Unicode.Scalar(first) { return String(scalar) }
    guard first < 0xDC00, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"),
      bytes[at + 1] == UInt8(ascii: "u")
    else { throw error(.loneSurrogate, at: start) }
    at += 2
    let second = try hexadecimal(from: at - 2)
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error(.loneSurrogate, at: start) }
    return String(scalar)
  }

  private mutating func hexadecimal(from start: Int) throws(JSONError) -> UInt32 {
    guard at + 4 <= bytes.count else { throw error(.ended(expected: "four hexadecimal digits")) }
    var value: UInt32 = 0
    for place in at..<at + 4 {
      let digit: UInt8
      switch bytes[place] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = bytes[place] - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[place] - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[place] - UInt8(ascii: "A") + 10
      default:
        let text = String(decoding: bytes[(start + 1)..<(at + 4)], as: UTF8.self)
        throw error(.escape(text), at: start)
      }
      value = value << 4 | UInt32(digit)
    }
    at += 4
    return value
  }

  /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
  mutating func number() throws(JSONError) -> JSONValue {
    let start = at
    var integral = true
    if bytes[at] == UInt8(ascii: "-") { at += 1 }
    let leading = at
    var wellFormed = skipDigits() > 0
    if at - leading > 1, bytes[leading] == UInt8(ascii: "0") { wellFormed = false }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      integral = false
      at += 1
      wellFormed = skipDigits() > 0 && wellFormed
    }
    if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      integral = false
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
      wellFormed = skipDigits() > 0 && wellFormed
    }
    if wellFormed, integral, at - start <= 18 { return .int(smallInteger(start..<at)) }
    let text = String(decoding: bytes[start..<at], as: UTF8.self)
    if wellFormed, integral, let value = Int(text) { return .int(value) }
    guard wellFormed, let value = Double(text), value.isFinite else {
      throw error(.number(text.count > 40 ? "\(text.prefix(40))…" : text), at: start)
    }
    return .double(value)
  }

  /// The value of at most 17 digits and a sign.
  private func smallInteger(_ range: Range<Int>) -> Int {
    var value = 0
    let negative = bytes[range.lowerBound] == UInt8(ascii: "-")
    for place in range.dropFirst(negative ? 1 : 0) {
      value = value * 10 + Int(bytes[place] - UInt8(ascii: "0"))
    }
    return negative ? -value : value
  }

  private mutating func skipDigits() -> Int {
    let start = at
    while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
    return at - start
  }
}
