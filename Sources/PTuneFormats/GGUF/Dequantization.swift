/// Turns ggml's blocks into 32-bit floats. Every product here is exact in 32 bits and each number is rounded once at
/// most, so that the values are those of ggml's own code and of the `gguf` package. Source: ggml's `ggml-quants.c`,
/// `dequantize_row_*`.
enum Dequantization {
  /// Writes all values of whole blocks.
  static func convert(
    _ bytes: UnsafeRawBufferPointer, of type: GGUFTensorType, into values: UnsafeMutableBufferPointer<Float>
  ) {
    switch type {
    case .f32: FloatConversion.convert(bytes, of: .f32, into: values)
    case .f16: FloatConversion.convert(bytes, of: .f16, into: values)
    case .bf16: FloatConversion.convert(bytes, of: .bf16, into: values)
    case .q8_0: blocks(bytes, type, values, q8_0)
    case .q4_0: blocks(bytes, type, values) { nibbles($0.half(0), offset: -8, $0.part(2), $1) }
    case .q4_1: blocks(bytes, type, values) { nibbles($0.half(0), minimum: $0.half(2), $0.part(4), $1) }
    case .q5_0:
      blocks(bytes, type, values) {
        nibbles($0.half(0), offset: -16, high: $0.word(2), $0.part(6), $1)
      }
    case .q5_1:
      blocks(bytes, type, values) {
        nibbles($0.half(0), minimum: $0.half(2), high: $0.word(4), $0.part(8), $1)
      }
    case .q4_K: blocks(bytes, type, values) { superblock($0, high: nil, quants: $0.part(16), $1) }
    case .q5_K: blocks(bytes, type, values) { superblock($0, high: $0.part(16), quants: $0.part(48), $1) }
    case .q6_K: blocks(bytes, type, values, q6_K)
    }
  }

  private typealias Values = UnsafeMutablePointer<Float>

  /// The bytes of one block.
  private struct Block {
    let start: UnsafePointer<UInt8>

    func part(_ place: Int) -> UnsafePointer<UInt8> { start + place }

    func word(_ place: Int) -> UInt32 {
      UInt32(littleEndian: UnsafeRawPointer(start + place).loadUnaligned(as: UInt32.self))
    }

    func half(_ place: Int) -> Float {
      let bits = UnsafeRawPointer(start + place).loadUnaligned(as: UInt16.self)
      return FloatConversion.fromHalf(UInt16(littleEndian: bits))
    }
  }

  @inline(__always)
  private static func blocks(
    _ bytes: UnsafeRawBufferPointer, _ type: GGUFTensorType, _ values: UnsafeMutableBufferPointer<Float>,
    _ convert: (Block, Values) -> Void
  ) {
    precondition(bytes.count / type.blockBytes * type.blockCount == values.count)
    guard let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress, let target = values.baseAddress
    else { return }
    for block in 0..<values.count / type.blockCount {
      convert(Block(start: start + block * type.blockBytes), target + block * type.blockCount)
    }
  }

  private static func q8_0(_ block: Block, _ values: Values) {
    let scale = block.half(0)
    let quants = block.part(2)
    for i in 0..<32 { values[i] = Float(Int8(bitPattern: quants[i])) * scale }
  }

  /// 32 numbers: the lower halves of 16 bytes, then the upper ones; `high` has the fifth bit of each.
  @inline(__always)
  private static func nibbles(
    _ scale: Float, minimum: Float = 0, offset: Int32 = 0, high: UInt32 = 0, _ quants: UnsafePointer<UInt8>,
    _ values: Values
  ) {
    for i in 0..<16 {
      let low = UInt32(quants[i] & 0xF) | (high >> UInt32(i) & 1) << 4
      let upper = UInt32(quants[i] >> 4) | (high >> UInt32(i + 16) & 1) << 4
      values[i] = scale * Float(Int32(low) + offset) + minimum
      values[i + 16] = scale * Float(Int32(upper) + offset) + minimum
    }
  }

  /// Eight groups of 32 numbers. Two groups share 32 bytes of `quants`; `high` has the fifth bits, one bit of each
  /// byte for each group.
  @inline(__always)
  private static func superblock(
    _ block: Block, high: UnsafePointer<UInt8>?, quants: UnsafePointer<UInt8>, _ values: Values
  ) {
    let scale = block.half(0)
    let minimumScale = block.half(2)
    for group in 0..<8 {
      let (factor, minimum) = sixBits(block.part(4), group)
      let (step, floor) = (scale * factor, minimumScale * minimum)
      let shift = UInt8(group % 2 * 4)
      for i in 0..<32 {
        let fifth = high.map { $0[i] >> UInt8(group) & 1 } ?? 0
        let quant = quants[group / 2 * 32 + i] >> shift & 0xF | fifth << 4
        values[group * 32 + i] = step * Float(quant) - floor
      }
    }
  }

  /// The scale and the minimum of a group, 6 bits each. Those of the last four groups have their upper two bits in
  /// the bytes of the first four.
  private static func sixBits(_ bytes: UnsafePointer<UInt8>, _ group: Int) -> (scale: Float, minimum: Float) {
    if group < 4 { return (Float(bytes[group] & 63), Float(bytes[group + 4] & 63)) }
    let scale = bytes[group + 4] & 0xF | (bytes[group - 4] >> 6) << 4
    let minimum = bytes[group + 4] >> 4 | (bytes[group] >> 6) << 4
    return (Float(scale), Float(minimum))
  }

  /// Two halves of 128 numbers: of each, 64 bytes with the lower four bits, 32 with the upper two, 8 scales.
  private static func q6_K(_ block: Block, _ values: Values) {
    let scale = block.half(208)
    for half in 0..<2 {
      let low = block.part(half * 64)
      let high = block.part(128 + half * 32)
      let scales = block.part(192 + half * 8)
      for quarter in 0..<4 {
        for i in 0..<32 {
          let four = low[quarter % 2 * 32 + i] >> UInt8(quarter / 2 * 4) & 0xF
          let two = high[i] >> UInt8(quarter * 2) & 3
          let step = scale * Float(Int8(bitPattern: scales[quarter * 2 + i / 16]))
          values[half * 128 + quarter * 32 + i] = step * Float(Int32(four | two << 4) - 32)
        }
      }
    }
  }
}
