/// Text to cut, and where in the original each of its characters came from.
struct TextView {
  let bytes: UnsafeBufferPointer<UInt8>
  /// For each byte, where the original character begins and ends; nil when the text is the original itself, which
  /// then is valid UTF-8.
  private let begins, ends: UnsafeBufferPointer<Int32>?

  /// The original text.
  init(original bytes: UnsafeBufferPointer<UInt8>) { (self.bytes, begins, ends) = (bytes, nil, nil) }

  fileprivate init(
    _ bytes: UnsafeBufferPointer<UInt8>, _ begins: UnsafeBufferPointer<Int32>,
    _ ends: UnsafeBufferPointer<Int32>
  ) {
    (self.bytes, self.begins, self.ends) = (bytes, begins, ends)
  }

  /// Where in the original the character begins that holds this byte.
  @inline(__always)
  func begin(_ position: Int) -> Int32 {
    if let begins { return begins[position] }
    var begin = position
    while begin > 0, bytes[begin] & 0xC0 == 0x80 { begin -= 1 }
    return Int32(truncatingIfNeeded: begin)
  }

  /// Where in the original the characters begin and end that hold these bytes.
  @inline(__always)
  func place(_ range: Range<Int>) -> Range<Int32> {
    if let begins, let ends {
      let begin = begins[range.lowerBound]
      return begin..<Swift.max(begin, ends[range.upperBound - 1])
    }
    var end = range.upperBound
    while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
    return begin(range.lowerBound)..<Int32(truncatingIfNeeded: end)
  }
}

extension NormalizedText {
  /// Hands over the text with its origins.
  func withView<Result>(_ body: (TextView) -> Result) -> Result {
    bytes.withUnsafeBufferPointer { bytes in
      begins.withUnsafeBufferPointer { begins in
        ends.withUnsafeBufferPointer { body(TextView(bytes, begins, $0)) }
      }
    }
  }
}
