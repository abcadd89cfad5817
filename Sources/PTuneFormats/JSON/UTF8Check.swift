/// Finds bytes that are not UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
enum UTF8Check {
  /// The offset of the first byte that does not belong to a well-formed sequence, or nil if all do.
  static func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var at = 0
    let end = bytes.count
    while at < end {
      // Eight ASCII bytes at a time.
      while at + 8 <= end,
        bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        at += 8
      }
      guard at < end else { break }
      let lead = bytes[at]
      if lead < 0x80 {
        at += 1
        continue
      }
      guard let (length, second) = sequence(lead), at + length <= end, second.contains(bytes[at + 1]),
        (2..<max(2, length)).allSatisfy({ bytes[at + $0] & 0xC0 == 0x80 })
      else { return at }
      at += length
    }
    return nil
  }

  /// How many bytes follow from a leading byte, itself included, and what the second may be.
  private static func sequence(_ lead: UInt8) -> (length: Int, second: ClosedRange<UInt8>)? {
    switch lead {
    case 0xC2...0xDF: (2, 0x80...0xBF)
    case 0xE0: (3, 0xA0...0xBF)
    case 0xE1...0xEC, 0xEE...0xEF: (3, 0x80...0xBF)
    case 0xED: (3, 0x80...0x9F)
    case 0xF0: (4, 0x90...0xBF)
    case 0xF1...0xF3: (4, 0x80...0xBF)
    case 0xF4: (4, 0x80...0x8F)
    default: nil
    }
  }
}
