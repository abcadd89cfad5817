import CPTuneKernels

/// What the factors of products with frozen weights are rounded to. Sums, what is trained, and all other operators are
/// in single precision in either case.
public enum ComputePrecision: String, CaseIterable, Sendable {
  /// Single precision.
  case f32
  /// 8 bits of the 24: half the memory, and twice as fast where the processor has instructions for it.
  case bf16

  /// Whether the processor multiplies such numbers by instructions of its own.
  public var isNative: Bool { self == .f32 || ptk_has_bf16() }

  var kernel: ptk_precision { self == .bf16 ? PTK_BF16 : PTK_F32 }
}
