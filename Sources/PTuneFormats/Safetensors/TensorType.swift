/// The element types of a safetensors file, in the order that the reference implementation gives them: a
/// file's data begins with the tensors of the last type that occurs.
public enum TensorType: String, Sendable, CaseIterable, Comparable {
  /// A byte that is 0 or 1.
  case bool = "BOOL"
  /// An 8-bit integer without sign.
  case u8 = "U8"
  /// An 8-bit integer.
  case i8 = "I8"
  /// A 16-bit integer.
  case i16 = "I16"
  /// A 16-bit integer without sign.
  case u16 = "U16"
  /// A 16-bit float with 10 bits of fraction (IEEE 754 half precision).
  case f16 = "F16"
  /// A 16-bit float with 7 bits of fraction: the upper half of a 32-bit float.
  case bf16 = "BF16"
  /// A 32-bit integer.
  case i32 = "I32"
  /// A 32-bit integer without sign.
  case u32 = "U32"
  /// A 32-bit float.
  case f32 = "F32"
  /// A 64-bit float.
  case f64 = "F64"
  /// A 64-bit integer.
  case i64 = "I64"
  /// A 64-bit integer without sign.
  case u64 = "U64"

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .f64, .i64, .u64: 8
    case .f32, .i32, .u32: 4
    case .f16, .bf16, .i16, .u16: 2
    case .i8, .u8, .bool: 1
    }
  }

  /// Whether its values can be had as 32-bit floats.
  public var isFloat: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16: true
    default: false
    }
  }

  /// Whether the type comes before another in the reference implementation's order.
  public static func < (left: TensorType, right: TensorType) -> Bool {
    left.order < right.order
  }

  private var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
