/// A message of protocol buffers in the making: fields one after the other in their wire format.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case delimited = 2
    case fixed32 = 5
  }

  private mutating func key(_ field: Int, _ type: WireType) { varint(UInt64(field) << 3 | type.rawValue) }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// A field of the types int32, int64, bool or enum.
  mutating func add(_ field: Int, _ value: Int) {
    key(field, .varint)
    varint(UInt64(bitPattern: Int64(value)))
  }

  /// A field of the type double.
  mutating func add(_ field: Int, _ value: Double) {
    key(field, .fixed64)
    bytes += littleEndianBytes(value.bitPattern)
  }

  /// A field of the type float.
  mutating func add(_ field: Int, _ value: Float) {
    key(field, .fixed32)
    bytes += littleEndianBytes(value.bitPattern)
  }

  /// A field of the type string.
  mutating func add(_ field: Int, _ value: String) { add(field, bytes: Array(value.utf8)) }

  /// A field that is a message itself.
  mutating func add(_ field: Int, _ value: ProtobufMessage) { add(field, bytes: value.bytes) }

  /// A field of the type bytes.
  mutating func add(_ field: Int, bytes value: [UInt8]) {
    key(field, .delimited)
    varint(UInt64(value.count))
    bytes += value
  }
}

/// The bytes of an integer, the lowest first.
func littleEndianBytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  withUnsafeBytes(of: number.littleEndian) { Array($0) }
}
