/// One HTTP request.
struct HTTPRequest {
  /// The method.
  enum Method: String {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
  }

  var method = Method.get
  var url: String
  var headers: [(name: String, value: String)] = []
  var body: HTTPBody?
}

/// What a request carries.
enum HTTPBody {
  /// Bytes in memory.
  case bytes([UInt8])
  /// Bytes that an object keeps, such as a mapped file.
  case borrowed(UnsafeRawBufferPointer, owner: AnyObject)
}

/// The head of a response.
struct HTTPHead: Equatable {
  /// 200 and so on.
  var status = 0
  /// Names in small letters; of two of one name the last counts.
  private var fields: [String: String] = [:]

  /// A header's value; names are compared without regard to case.
  subscript(name: String) -> String? { fields[name.lowercased()] }

  /// Whether it is a redirect with a place to go to.
  var isRedirect: Bool { [301, 302, 303, 307, 308].contains(status) && self["location"] != nil }

  /// Takes in a line of the head; a status line begins a new one.
  mutating func take(line: String) {
    let line = line.trimmed
    if line.hasPrefix("HTTP/") {
      self = HTTPHead()
      let parts = line.split(separator: " ", maxSplits: 2)
      status = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    } else if let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) {
      fields[line[..<colon].lowercased()] = String(line[line.utf8.index(after: colon)...]).trimmed
    }
  }
}

extension String {
  /// Without blanks and line ends on both sides.
  var trimmed: String {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    guard let first = utf8.firstIndex(where: { !isBlank($0) }),
      let last = utf8.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return String(self[first...last])
  }
}
