extension TensorType {
  /// Floats as this type has them, little-endian, rounded to the nearest, ties to even; nil for a type without floats.
  public func bytes(of floats: some Sequence<Float>) -> [UInt8]? {
    var bytes: [UInt8] = []
    func append(_ value: some FixedWidthInteger) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    for value in floats {
      switch self {
      case .f64: append(Double(value).bitPattern)
      case .f32: append(value.bitPattern)
      case .bf16: append(Self.brain(value))
      case .f16: append(Self.half(value))
      default: return nil
      }
    }
    return bytes
  }

  private static func brain(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    // What is no number stays none.
    if value.isNaN { return UInt16(bits >> 16) | 0x40 }
    return UInt16((bits + 0x7fff + (bits >> 16 & 1)) >> 16)
  }

  // Swift's own Float16 is missing on some systems.
  private static func half(_ value: Float) -> UInt16 {
    let sign = UInt16(value.bitPattern >> 16) & 0x8000
    let magnitude = abs(value)
    if value.isNaN { return sign | 0x7e00 }
    // From half a unit above the largest one on, numbers round to infinity.
    if magnitude >= 65520 { return sign | 0x7c00 }
    if magnitude < 0x1p-14 {
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let bits = magnitude.bitPattern - (112 << 23)
    return sign | UInt16((bits + 0xfff + (bits >> 13 & 1)) >> 13)
  }
}
