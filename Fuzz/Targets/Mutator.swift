/// Damages inputs, the same way each time for the same seed: bit flips, lost and doubled pieces, numbers that are far
/// too large, brackets without end, parts of another input.
public struct Mutator {
  private var state: UInt64

  /// A mutator that begins at a seed.
  public init(seed: UInt64) { state = seed }

  /// One of the inputs, with one to four kinds of damage.
  public mutating func mutate(_ inputs: [[UInt8]]) -> [UInt8] {
    var bytes = inputs[below(inputs.count)]
    for _ in 0...below(4) { damage(&bytes, other: inputs[below(inputs.count)]) }
    return bytes
  }

  private mutating func damage(_ bytes: inout [UInt8], other: [UInt8]) {
    guard !bytes.isEmpty else {
      bytes = other
      return
    }
    let place = self.place(in: bytes)
    switch below(12) {
    case 0: bytes[place] ^= 1 << UInt8(below(8))
    case 1: bytes[place] = UInt8(below(256))
    case 2: bytes.removeLast(bytes.count - place)
    case 3: bytes.removeSubrange(piece(of: bytes, from: place))
    case 4: bytes.insert(contentsOf: bytes[piece(of: bytes, from: self.place(in: bytes))], at: place)
    case 5: putInteger(into: &bytes, at: place)
    case 6: putNumber(into: &bytes, at: place)
    case 7:
      let brackets = ["[", "{\"a\":", "{", "- ", "\"", "\\u"]
      let text = brackets[below(brackets.count)]
      bytes.insert(contentsOf: Array(String(repeating: text, count: 1 << below(12)).utf8), at: place)
    case 8 where !other.isEmpty:
      bytes.insert(contentsOf: other[piece(of: other, from: self.place(in: other))], at: place)
    case 9: for index in piece(of: bytes, from: place) { bytes[index] = UInt8(below(256)) }
    case 10:
      let source = piece(of: bytes, from: self.place(in: bytes))
      for (offset, byte) in Array(bytes[source]).enumerated() where place + offset < bytes.count {
        bytes[place + offset] = byte
      }
    default: bytes[place] = [0, 0xFF, 0x7F, 0x80, 0x20, 0x22, 0x5C, 0x0A][below(8)]
    }
  }

  /// A little-endian integer of 1, 2, 4 or 8 bytes at the edges of its type.
  private mutating func putInteger(into bytes: inout [UInt8], at place: Int) {
    let values: [UInt64] = [
      0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 40, 1 << 62,
      0x7FFF_FFFF_FFFF_FFFF, 1 << 63, .max, UInt64(bytes.count), UInt64(bytes.count) + 1,
    ]
    let value = values[below(values.count)]
    for index in 0..<1 << below(4) where place + index < bytes.count {
      bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index))
    }
  }

  /// Another number in the place of the next one that is written in digits.
  private mutating func putNumber(into bytes: inout [UInt8], at place: Int) {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard let start = bytes[place...].firstIndex(where: digits.contains) else { return }
    let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
    let numbers = [
      "0", "-1", "4611686018427387904", "9223372036854775807", "18446744073709551616", "1e308", "1e999", "-0",
      "0.5", "2147483648", "4294967296", "1000000000000", "null", "\"x\"", "[]", "NaN",
    ]
    bytes.replaceSubrange(start..<end, with: Array(numbers[below(numbers.count)].utf8))
  }

  /// Half of the time near the beginning, where headers are.
  private mutating func place(in bytes: [UInt8]) -> Int {
    below(below(2) == 0 ? min(bytes.count, 512) : bytes.count)
  }

  private mutating func piece(of bytes: [UInt8], from place: Int) -> Range<Int> {
    place..<min(bytes.count, place + 1 + below(1 << below(10)))
  }

  /// Below `limit`, which is positive; a linear congruential generator (Knuth, MMIX).
  private mutating func below(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
