/// SHA-1, FIPS 180-4, section 6.1: git names files by it. Not for anything that has to be safe from forgery.
struct SHA1 {
  private var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
  private var rest: [UInt8] = []
  private var byteCount: UInt64 = 0

  /// Appends bytes.
  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    byteCount &+= UInt64(bytes.count)
    rest.append(contentsOf: bytes)
    let whole = rest.count / 64 * 64
    guard whole > 0 else { return }
    let blocks = rest
    blocks.withUnsafeBytes { blocks in
      for start in stride(from: 0, to: whole, by: 64) { compress(blocks, from: start) }
    }
    rest.removeFirst(whole)
  }

  /// Appends bytes.
  mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// The digest of all that was appended, as 40 hexadecimal digits.
  consuming func hexadecimal() -> String {
    let bits = byteCount &* 8
    update([0x80] + [UInt8](repeating: 0, count: (119 - rest.count) % 64))
    withUnsafeBytes(of: bits.bigEndian) { update($0) }
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private mutating func compress(_ bytes: UnsafeRawBufferPointer, from start: Int) {
    func turned(_ word: UInt32, _ count: UInt32) -> UInt32 { word << count | word >> (32 - count) }
    var words = [UInt32](repeating: 0, count: 80)
    for index in 0..<16 {
      words[index] = UInt32(
        bigEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * index, as: UInt32.self))
    }
    for index in 16..<80 {
      words[index] = turned(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^ words[index - 16], 1)
    }
    var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
    for (index, word) in words.enumerated() {
      let (mixed, constant): (UInt32, UInt32) =
        switch index / 20 {
        case 0: (b & c | ~b & d, 0x5a82_7999)
        case 1: (b ^ c ^ d, 0x6ed9_eba1)
        case 2: (b & c | b & d | c & d, 0x8f1b_bcdc)
        default: (b ^ c ^ d, 0xca62_c1d6)
        }
      (a, b, c, d, e) = (turned(a, 5) &+ mixed &+ e &+ constant &+ word, a, turned(b, 30), c, d)
    }
    for (index, word) in [a, b, c, d, e].enumerated() { state[index] &+= word }
  }
}
