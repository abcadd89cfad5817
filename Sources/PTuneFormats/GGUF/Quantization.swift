/// Writes 32-bit floats as ggml's blocks, every number rounded to the nearest that its group's scale gives: good for a few
/// rows beside others that keep their bytes. Source of the blocks: ggml's `ggml-quants.c`.
enum Quantization {
  /// The bytes of rows.
  ///
  /// - Precondition: there are whole blocks of values.
  static func bytes(_ values: [Float], as type: GGUFTensorType) -> [UInt8] {
    precondition(values.count % type.blockCount == 0)
    return stride(from: 0, to: values.count, by: type.blockCount).flatMap { start in
      block(values[start..<start + type.blockCount], type)
    }
  }

  private static func block(_ values: ArraySlice<Float>, _ type: GGUFTensorType) -> [UInt8] {
    let x = Array(values)
    return switch type {
    case .f32: TensorType.f32.bytes(of: x) ?? []
    case .f16: TensorType.f16.bytes(of: x) ?? []
    case .bf16: TensorType.bf16.bytes(of: x) ?? []
    case .q8_0: q8_0(x)
    case .q4_0: nibbles(x, Grid(around: x, most: 7), offset: 8, hasHigh: false)
    case .q5_0: nibbles(x, Grid(around: x, most: 15), offset: 16, hasHigh: true)
    case .q4_1: nibbles(x, Grid(from: x, most: 15), offset: nil, hasHigh: false)
    case .q5_1: nibbles(x, Grid(from: x, most: 31), offset: nil, hasHigh: true)
    case .q4_K: superblock(x, most: 15)
    case .q5_K: superblock(x, most: 31)
    case .q6_K: q6_K(x)
    }
  }

  /// Evenly spaced numbers: minimum + step · q.
  private struct Grid {
    var step: Float
    var minimum: Float = 0

    /// With zero among them, up to `most` steps on either side of it.
    init(around x: [Float], most: Float) { step = (x.map(abs).max() ?? 0) / most }

    /// From the smallest number to the largest, in `most` steps.
    init(from x: [Float], most: Float) {
      minimum = x.min() ?? 0
      step = ((x.max() ?? 0) - minimum) / most
    }

    init(step: Float, minimum: Float = 0) { (self.step, self.minimum) = (step, minimum) }

    func index(of value: Float, _ range: ClosedRange<Float>) -> Int {
      guard step != 0 else { return Int(max(range.lowerBound, 0)) }
      return Int(min(max(((value - minimum) / step).rounded(), range.lowerBound), range.upperBound))
    }
  }

  private static func half(_ value: Float) -> [UInt8] { TensorType.f16.bytes(of: [value]) ?? [] }

  /// A number as a reader sees it after `half`.
  private static func rounded(_ value: Float) -> Float {
    let bytes = half(value)
    return FloatConversion.fromHalf(UInt16(bytes[0]) | UInt16(bytes[1]) << 8)
  }

  private static func q8_0(_ x: [Float]) -> [UInt8] {
    let grid = Grid(step: rounded(Grid(around: x, most: 127).step))
    return half(grid.step)
      + x.map { UInt8(bitPattern: Int8(grid.index(of: $0, -127...127))) }
  }

  /// 32 numbers, of each the lower four bits in 16 bytes and the fifth in a word.
  ///
  /// - Parameter offset: what is added to every index; nil where the block has a minimum instead.
  private static func nibbles(_ x: [Float], _ exact: Grid, offset: Int?, hasHigh: Bool) -> [UInt8] {
    let grid = Grid(step: rounded(exact.step), minimum: rounded(exact.minimum))
    let most = hasHigh ? 31 : 15
    let first = -(offset ?? 0)
    let range = Float(first)...Float(first + most)
    let quants = x.map { grid.index(of: $0, range) - first }
    let high = quants.enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element >> 4) << UInt32($1.offset) }
    return half(grid.step) + (offset == nil ? half(grid.minimum) : [])
      + (hasHigh ? withUnsafeBytes(of: high.littleEndian) { Array($0) } : [])
      + (0..<16).map { UInt8(quants[$0] & 0xF | (quants[$0 + 16] & 0xF) << 4) }
  }

  /// Eight groups of 32 numbers, with a step and a minimum of 6 bits each.
  private static func superblock(_ x: [Float], most: Float) -> [UInt8] {
    let groups = (0..<8).map { Array(x[$0 * 32..<$0 * 32 + 32]) }
    // What is taken away from every number is not below 0.
    let exact = groups.map { group in
      let floor = min(0, group.min() ?? 0)
      return Grid(step: ((group.max() ?? 0) - floor) / most, minimum: floor)
    }
    let (scale, floor) = (
      rounded((exact.map(\.step).max() ?? 0) / 63), rounded((exact.map { -$0.minimum }.max() ?? 0) / 63)
    )
    let factors = exact.map { Grid(step: scale).index(of: $0.step, 0...63) }
    let minima = exact.map { Grid(step: floor).index(of: -$0.minimum, 0...63) }
    var packed = [UInt8](repeating: 0, count: 12)
    for group in 0..<4 {
      packed[group] = UInt8(factors[group] | (factors[group + 4] >> 4) << 6)
      packed[group + 4] = UInt8(minima[group] | (minima[group + 4] >> 4) << 6)
      packed[group + 8] = UInt8(factors[group + 4] & 0xF | (minima[group + 4] & 0xF) << 4)
    }
    var high = [UInt8](repeating: 0, count: 32)
    var low = [UInt8](repeating: 0, count: 128)
    for (group, values) in groups.enumerated() {
      let grid = Grid(step: scale * Float(factors[group]), minimum: -floor * Float(minima[group]))
      for (i, value) in values.enumerated() {
        let quant = grid.index(of: value, 0...most)
        low[group / 2 * 32 + i] |= UInt8(quant & 0xF) << UInt8(group % 2 * 4)
        high[i] |= UInt8(quant >> 4) << UInt8(group)
      }
    }
    return half(scale) + half(floor) + packed + (most > 15 ? high : []) + low
  }

  /// 16 groups of 16 numbers, with a step of 8 bits each.
  private static func q6_K(_ x: [Float]) -> [UInt8] {
    let steps = (0..<16).map { Grid(around: Array(x[$0 * 16..<$0 * 16 + 16]), most: 31).step }
    let scale = rounded((steps.max() ?? 0) / 127)
    let factors = steps.map { Grid(step: scale).index(of: $0, 0...127) }
    var low = [UInt8](repeating: 0, count: 128)
    var high = [UInt8](repeating: 0, count: 64)
    for (place, value) in x.enumerated() {
      let grid = Grid(step: scale * Float(factors[place / 16]))
      let quant = grid.index(of: value, -32...31) + 32
      let (part, quarter, i) = (place / 128, place % 128 / 32, place % 32)
      low[part * 64 + quarter % 2 * 32 + i] |= UInt8(quant & 0xF) << UInt8(quarter / 2 * 4)
      high[part * 32 + i] |= UInt8(quant >> 4) << UInt8(quarter * 2)
    }
    return low + high + factors.map { UInt8($0) } + half(scale)
  }
}
