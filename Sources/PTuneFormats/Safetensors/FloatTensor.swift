/// The values of a tensor as 32-bit floats: those of the mapped file where it holds aligned F32 values, a
/// converted copy otherwise.
public final class FloatTensor: @unchecked Sendable {
  // @unchecked: the values are never written after `init`, so any thread may read them.

  /// The shape; empty for a scalar.
  public let shape: [Int]
  /// The values, row-major. NB: valid only as long as this object lives, which ends at its last use: whoever
  /// keeps the pointer keeps the object, and everyone else takes `withValues`.
  public let unsafeValues: UnsafeBufferPointer<Float>
  /// Whether the values are the mapped file's own.
  public var isMapped: Bool { owner != nil }

  /// Keeps the mapping of the file alive.
  private let owner: (any AnyObject & Sendable)?

  /// Nil if the tensor does not contain floats.
  convenience init?(_ tensor: TensorInfo, _ bytes: UnsafeRawBufferPointer, owner: SafetensorsFile) {
    guard tensor.type.isFloat else { return nil }
    if tensor.type == .f32, let values = Self.aligned(bytes) {
      self.init(shape: tensor.shape, values: values, owner: owner)
    } else {
      self.init(shape: tensor.shape) { FloatConversion.convert(bytes, of: tensor.type, into: $0) }
    }
  }

  /// Values that stand in a mapped file as 32-bit floats; nil if they are not aligned.
  convenience init?(shape: [Int], mapped bytes: UnsafeRawBufferPointer, owner: any AnyObject & Sendable) {
    guard let values = Self.aligned(bytes) else { return nil }
    self.init(shape: shape, values: values, owner: owner)
  }

  /// Values of its own, which `fill` writes, every one of them.
  convenience init(shape: [Int], fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: shape.reduce(1, *))
    fill(values)
    self.init(shape: shape, values: UnsafeBufferPointer(values), owner: nil)
  }

  private init(shape: [Int], values: UnsafeBufferPointer<Float>, owner: (any AnyObject & Sendable)?) {
    self.shape = shape
    unsafeValues = values
    self.owner = owner
  }

  private static func aligned(_ bytes: UnsafeRawBufferPointer) -> UnsafeBufferPointer<Float>? {
    guard let start = bytes.baseAddress, Int(bitPattern: start) % MemoryLayout<Float>.alignment == 0 else {
      return nil
    }
    return bytes.assumingMemoryBound(to: Float.self)
  }

  deinit {
    if owner == nil { unsafeValues.deallocate() }
  }

  /// Calls `body` with the values, row-major, which are valid until it returns.
  public func withValues<Result, Failure>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    defer { withExtendedLifetime(self) {} }
    return try body(unsafeValues)
  }

  /// Lets the system take the memory of mapped values back; they are read from the file again when they are touched.
  public func discardPages() {
    guard isMapped else { return }
    MappedFile.discardPages(of: UnsafeRawBufferPointer(unsafeValues))
    withExtendedLifetime(self) {}
  }

  /// A copy of the values, row-major.
  public var array: [Float] { withValues { Array($0) } }
}

/// Widens and narrows floats.
enum FloatConversion {
  static func convert(
    _ bytes: UnsafeRawBufferPointer, of type: TensorType, into values: UnsafeMutableBufferPointer<Float>
  ) {
    switch type {
    case .f64:
      for place in values.indices {
        let bits = bytes.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self)
        values[place] = Float(Double(bitPattern: UInt64(littleEndian: bits)))
      }
    case .f16:
      for place in values.indices {
        let bits = bytes.loadUnaligned(fromByteOffset: place * 2, as: UInt16.self)
        values[place] = fromHalf(UInt16(littleEndian: bits))
      }
    case .bf16:
      for place in values.indices {
        let bits = bytes.loadUnaligned(fromByteOffset: place * 2, as: UInt16.self)
        values[place] = Float(bitPattern: UInt32(UInt16(littleEndian: bits)) << 16)
      }
    default:
      for place in values.indices {
        let bits = bytes.loadUnaligned(fromByteOffset: place * 4, as: UInt32.self)
        values[place] = Float(bitPattern: UInt32(littleEndian: bits))
      }
    }
  }

  /// A half-precision number: its exponent and fraction moved into place and the bias mended by a
  /// multiplication by 2^112, which is exact and makes subnormal numbers come out right.
  static func fromHalf(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let rest = UInt32(bits & 0x7FFF) << 13
    if rest >= 0x7C00 << 13 { return Float(bitPattern: sign | 0x7F80_0000 | rest) }
    let magnitude = Float(bitPattern: rest) * Float(bitPattern: (112 + 127) << 23)
    return Float(bitPattern: sign | magnitude.bitPattern)
  }
}
