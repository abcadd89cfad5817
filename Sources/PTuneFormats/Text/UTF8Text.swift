/// UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) read from bytes and written to them, one scalar
/// at a time, and validation that says where.
package enum UTF8Text {
  /// The position of the first byte that does not belong to a well-formed sequence; nil if all do.
  package static func firstInvalid(_ bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var position = 0
    while position < bytes.count {
      if bytes.count - position >= 8 {
        let word = UnsafeRawPointer(bytes.baseAddress! + position).loadUnaligned(as: UInt64.self)
        if word & 0x8080_8080_8080_8080 == 0 {
          position += 8
          continue
        }
      }
      let (_, length, valid) = scalar(bytes, position)
      if !valid { return position }
      position += length
    }
    return nil
  }

  /// The same of raw bytes.
  package static func firstInvalid(_ bytes: UnsafeRawBufferPointer) -> Int? {
    firstInvalid(bytes.assumingMemoryBound(to: UInt8.self))
  }

  /// The scalar that begins at `position` and its length in bytes; a malformed byte is U+FFFD of length 1.
  @inlinable @inline(__always)
  package static func scalar(
    _ bytes: UnsafeBufferPointer<UInt8>, _ position: Int
  ) -> (scalar: UInt32, length: Int, valid: Bool) {
    let first = UInt32(bytes[position])
    if first < 0x80 { return (first, 1, true) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    guard first >= 0xC2, first <= 0xF4, bytes.count - position >= length else { return (0xFFFD, 1, false) }
    var value = first & (0x7F >> UInt32(length))
    for offset in 1..<length {
      let byte = UInt32(bytes[position + offset])
      guard byte & 0xC0 == 0x80 else { return (0xFFFD, 1, false) }
      value = value << 6 | byte & 0x3F
    }
    let tooShort = length == 3 && value < 0x800 || length == 4 && value < 0x10000
    guard !tooShort, value <= 0x10FFFF, value & 0xFFFF_F800 != 0xD800 else { return (0xFFFD, 1, false) }
    return (value, length, true)
  }

  /// Appends a scalar's bytes.
  @inlinable @inline(__always)
  package static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
    switch scalar {
    case ..<0x80: bytes.append(UInt8(scalar))
    case ..<0x800:
      bytes.append(UInt8(0xC0 | scalar >> 6))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    case ..<0x10000:
      bytes.append(UInt8(0xE0 | scalar >> 12))
      bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    default:
      bytes.append(UInt8(0xF0 | scalar >> 18))
      bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
      bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    }
  }
}
