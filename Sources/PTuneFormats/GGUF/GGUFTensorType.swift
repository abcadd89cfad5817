/// The element types of GGUF tensors that are read: floats, and blocks of quantised numbers that share scales.
/// Source: ggml's `ggml_type` and `ggml-common.h`.
public enum GGUFTensorType: UInt32, Sendable, CaseIterable {
  /// 32-bit floats.
  case f32 = 0
  /// 16-bit floats with 10 bits of fraction.
  case f16 = 1
  /// 4 bits a number, one scale in 32.
  case q4_0 = 2
  /// 4 bits a number, a scale and a minimum in 32.
  case q4_1 = 3
  /// 5 bits a number, one scale in 32.
  case q5_0 = 6
  /// 5 bits a number, a scale and a minimum in 32.
  case q5_1 = 7
  /// 8 bits a number, one scale in 32.
  case q8_0 = 8
  /// 4 bits a number, 8 scales and minima of 6 bits in 256.
  case q4_K = 12
  /// 5 bits a number, 8 scales and minima of 6 bits in 256.
  case q5_K = 13
  /// 6 bits a number, 16 scales of 8 bits in 256.
  case q6_K = 14
  /// 16-bit floats with 7 bits of fraction.
  case bf16 = 30

  /// How many numbers a block has.
  public var blockCount: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0: 32
    case .q4_K, .q5_K, .q6_K: 256
    }
  }

  /// The bytes of a block.
  public var blockBytes: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q4_0: 2 + 16
    case .q4_1: 4 + 16
    case .q5_0: 2 + 4 + 16
    case .q5_1: 4 + 4 + 16
    case .q8_0: 2 + 32
    case .q4_K: 4 + 12 + 128
    case .q5_K: 4 + 12 + 32 + 128
    case .q6_K: 128 + 64 + 16 + 2
    }
  }

  /// The name that ggml gives to the type of a number.
  static func name(_ number: UInt32) -> String {
    names.indices.contains(Int(number)) ? names[Int(number)] : "number \(number)"
  }

  private static let names = [
    "F32", "F16", "Q4_0", "Q4_1", "Q4_2", "Q4_3", "Q5_0", "Q5_1", "Q8_0", "Q8_1", "Q2_K", "Q3_K", "Q4_K",
    "Q5_K",
    "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",
    "I16",
    "I32", "I64", "F64", "IQ1_M", "BF16", "Q4_0_4_4", "Q4_0_4_8", "Q4_0_8_8", "TQ1_0", "TQ2_0", "IQ4_NL_4_4",
    "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4", "NVFP4",
  ]
}

extension GGUFTensorType: CustomStringConvertible {
  /// As ggml writes it: "Q4_K".
  public var description: String { Self.name(rawValue) }
}
