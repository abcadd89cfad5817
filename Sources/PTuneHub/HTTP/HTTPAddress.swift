/// An http or https address, cut where redirects and tokens need it.
struct HTTPAddress: Equatable {
  /// "http" or "https".
  let scheme: String
  /// Host and, where it is given, port, in small letters.
  let authority: String
  /// "user:password" in front of the host, as it is written there; it is never shown.
  let credentials: String?
  /// All behind it, from the slash on; empty for none.
  let rest: String

  init?(_ text: String) {
    guard let colon = text.range(of: "://") else { return nil }
    scheme = text[..<colon.lowerBound].lowercased()
    let behind = text[colon.upperBound...]
    let end = behind.utf8.firstIndex {
      [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains($0)
    }
    let whole = behind[..<(end ?? behind.endIndex)]
    let at = whole.utf8.lastIndex(of: UInt8(ascii: "@"))
    credentials = at.map { String(whole[..<$0]) }
    authority = (at.map { whole[whole.utf8.index(after: $0)...] } ?? whole).lowercased()
    rest = end.map { String(behind[$0...]) } ?? ""
    guard scheme == "http" || scheme == "https", !authority.isEmpty,
      text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
    else { return nil }
  }

  /// An address as it may be shown: "…" stands for a user and a password.
  static func shown(_ text: String) -> String {
    guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else { return text }
    let start = text.range(of: "://")?.upperBound ?? text.startIndex
    return start < at ? "\(text[..<start])…\(text[at...])" : text
  }

  /// Scheme, host and port.
  var origin: String { "\(scheme)://\(authority)" }

  /// Whether a token meant for one of them may be shown to the other.
  func hasSameOrigin(as other: HTTPAddress) -> Bool { origin == other.origin }

  /// Where a `Location` leads that was answered here; nil if it is no address.
  func following(_ location: String) -> String? {
    if location.hasPrefix("//") {
      return HTTPAddress("\(scheme):\(location)").map { _ in "\(scheme):\(location)" }
    }
    if location.hasPrefix("/") { return origin + location }
    return HTTPAddress(location).map { _ in location }
  }

  /// The bytes of a part in which "%" and two digits stand for some.
  static func unescaped(_ part: String) -> [UInt8] {
    var (bytes, rest) = ([UInt8](), part.utf8[...])
    while let byte = rest.popFirst() {
      let digits = rest.prefix(2)
      if byte == UInt8(ascii: "%"), digits.count == 2,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return bytes
  }

  /// A part of a path with everything but letters, digits and "-._~" escaped, "/" too unless it is kept.
  static func escaped(_ part: String, keepingSlashes: Bool = false) -> String {
    var result = ""
    for byte in part.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: "/") where keepingSlashes: result += "/"
      default: result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}

extension String {
  /// Where a text first stands in this one; compared by bytes.
  func range(of text: String) -> Range<String.Index>? {
    let wanted = Array(text.utf8)
    var start = utf8.startIndex
    while start != utf8.endIndex {
      if utf8[start...].starts(with: wanted) {
        return start..<utf8.index(start, offsetBy: wanted.count)
      }
      start = utf8.index(after: start)
    }
    return nil
  }
}
