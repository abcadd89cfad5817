import PTuneFormats

/// Text after normalization, each byte with the bytes of the original that its character came from.
struct NormalizedText {
  /// UTF-8 after normalization.
  private(set) var bytes: [UInt8] = []
  /// For each byte, where the original character begins.
  private(set) var begins: [Int32] = []
  /// For each byte, where the original character ends.
  private(set) var ends: [Int32] = []

  /// Room for a text of `count` bytes.
  init(capacity count: Int) {
    bytes.reserveCapacity(count + 16)
    begins.reserveCapacity(count + 16)
    ends.reserveCapacity(count + 16)
  }

  /// Appends an ASCII character that came from the one byte at `origin`.
  @inline(__always)
  mutating func append(ascii byte: UInt8, at origin: Int) {
    bytes.append(byte)
    begins.append(Int32(truncatingIfNeeded: origin))
    ends.append(Int32(truncatingIfNeeded: origin + 1))
  }

  /// Appends a scalar that came from the original bytes `origin`.
  mutating func append(_ scalar: UInt32, from origin: Range<Int32>) {
    let count = bytes.count
    UTF8Text.append(scalar, to: &bytes)
    for _ in count..<bytes.count {
      begins.append(origin.lowerBound)
      ends.append(origin.upperBound)
    }
  }

  /// The text as it is, malformed bytes as U+FFFD.
  init(_ source: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) {
    self.init(capacity: range.count)
    var position = range.lowerBound
    while position < range.upperBound {
      let (scalar, length, _) = UTF8Text.scalar(source, position)
      append(scalar, from: Int32(truncatingIfNeeded: position)..<Int32(truncatingIfNeeded: position + length))
      position += length
    }
  }

  /// Appends a byte of a character that came from the original bytes `origin`.
  @inline(__always)
  mutating func append(byte: UInt8, from origin: Range<Int32>) {
    bytes.append(byte)
    begins.append(origin.lowerBound)
    ends.append(origin.upperBound)
  }

  /// Appends whole characters that all came from the original bytes `origin`.
  mutating func append(_ characters: [UInt8], from origin: Range<Int32>) {
    for byte in characters { append(byte: byte, from: origin) }
  }

  /// Where the character that holds this byte came from.
  @inline(__always)
  func origin(_ position: Int) -> Range<Int32> { begins[position]..<ends[position] }
}
