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
}
