extension String {
  /// What stands between separators, without blanks around it; what is empty then is left out.
  public func parts(separatedBy separator: String) -> [String] {
    var parts: [[UInt8]] = [[]]
    var rest = Array(utf8)[...]
    while let byte = rest.first {
      if !separator.isEmpty, rest.starts(with: separator.utf8) {
        parts.append([])
        rest.removeFirst(separator.utf8.count)
      } else {
        parts[parts.count - 1].append(byte)
        rest.removeFirst()
      }
    }
    return parts.compactMap { part in
      let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
      guard let first = part.firstIndex(where: { !isBlank($0) }),
        let last = part.lastIndex(where: { !isBlank($0) })
      else { return nil }
      return String(decoding: part[first...last], as: UTF8.self)
    }
  }
}
