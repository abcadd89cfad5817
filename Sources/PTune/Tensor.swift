import CPTune

/// A matrix of 32-bit floats, `[rows, columns]`, that lives for the step.
///
/// A tensor is a handle: operators record what is to be computed and the host computes it when it is needed.
/// An operator given a failed tensor gives a failed tensor; the host reports the first failure once.
public struct Tensor {
  /// The host's handle; nil after a failure.
  public let handle: OpaquePointer?

  /// Wraps a handle that the host gave.
  public init(handle: OpaquePointer?) { self.handle = handle }

  static var ops: ptune_ops_v1? { Host.tables.ops?.pointee }

  /// Rows and columns; both 0 after a failure.
  public var shape: (rows: Int, columns: Int) {
    var rows = 0
    var columns = 0
    Self.ops?.shape(handle, &rows, &columns)
    return (rows, columns)
  }
  /// Number of rows; 0 after a failure.
  public var rows: Int { shape.rows }
  /// Number of columns; 0 after a failure.
  public var columns: Int { shape.columns }

  /// A matrix of the given values, row by row.
  public static func constant(_ values: [Float], rows: Int, columns: Int) -> Tensor {
    guard values.count == rows * columns else { return Tensor(handle: nil) }
    return Tensor(handle: ops?.constant(Host.currentCall, rows, columns, values))
  }

  /// A matrix filled with one value.
  public static func filled(_ value: Float, rows: Int, columns: Int) -> Tensor {
    Tensor(handle: ops?.fill(Host.currentCall, rows, columns, value))
  }

  /// The values, row by row, computed now.
  public func values() throws -> [Float] {
    let (rows, columns) = shape
    var status = ptune_status(PTUNE_FAILED)
    let values = [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
      if let ops = Self.ops, let out = buffer.baseAddress ?? UnsafeMutablePointer(bitPattern: 16) {
        status = ops.read(handle, out)
      }
      count = status == PTUNE_OK ? rows * columns : 0
    }
    try Host.check(status, "reading a tensor")
    return values
  }
}

// MARK: - Arithmetic

extension Tensor {
  private static func binary(_ function: Int, _ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor(handle: ops?.binary(ptune_binary(function), a.handle, b.handle))
  }
  private func unary(_ function: Int) -> Tensor {
    Tensor(handle: Self.ops?.unary(ptune_unary(function), handle))
  }

  /// a + b; b may also be `[1, columns]`, `[rows, 1]` or `[1, 1]`.
  public static func + (a: Tensor, b: Tensor) -> Tensor { binary(PTUNE_ADD, a, b) }
  /// a - b; b may also be `[1, columns]`, `[rows, 1]` or `[1, 1]`.
  public static func - (a: Tensor, b: Tensor) -> Tensor { binary(PTUNE_SUBTRACT, a, b) }
  /// a ∘ b, element by element; b may also be `[1, columns]`, `[rows, 1]` or `[1, 1]`.
  public static func * (a: Tensor, b: Tensor) -> Tensor { binary(PTUNE_MULTIPLY, a, b) }
  /// a / b, element by element; b may also be `[1, columns]`, `[rows, 1]` or `[1, 1]`.
  public static func / (a: Tensor, b: Tensor) -> Tensor { binary(PTUNE_DIVIDE, a, b) }
  /// x·scale + shift
  public func affine(scale: Float, shift: Float = 0) -> Tensor {
    Tensor(handle: Self.ops?.affine(handle, scale, shift))
  }
  /// x·scale
  public static func * (scale: Float, x: Tensor) -> Tensor { x.affine(scale: scale) }

  /// max(x, 0)
  public func relu() -> Tensor { unary(PTUNE_RELU) }
  /// x/2·(1 + erf(x/√2))
  public func gelu() -> Tensor { unary(PTUNE_GELU) }
  /// The tanh approximation of gelu (Hendrycks & Gimpel 2016).
  public func geluTanh() -> Tensor { unary(PTUNE_GELU_TANH) }
  /// tanh x
  public func tanh() -> Tensor { unary(PTUNE_TANH) }
  /// 1/(1 + e⁻ˣ)
  public func sigmoid() -> Tensor { unary(PTUNE_SIGMOID) }
  /// x·sigmoid(x)
  public func silu() -> Tensor { unary(PTUNE_SILU) }
  /// eˣ
  public func exp() -> Tensor { unary(PTUNE_EXP) }
  /// ln x
  public func log() -> Tensor { unary(PTUNE_LOG) }
  /// √x
  public func squareRoot() -> Tensor { unary(PTUNE_SQRT) }

  /// Zeroes each element with this probability and scales the rest by 1/(1-p), in training only.
  public func dropout(_ probability: Double) -> Tensor {
    probability == 0 ? self : Tensor(handle: Self.ops?.dropout(handle, Float(probability)))
  }
  /// x, but no gradient flows back through it.
  public func stopGradient() -> Tensor { Tensor(handle: Self.ops?.stop_gradient(handle)) }
}

// MARK: - Products and norms

extension Tensor {
  /// op(self)·op(b): `[m, k]·[k, n] -> [m, n]`, transposed first where asked.
  public func matmul(_ b: Tensor, transposed: Bool = false, transposedOther: Bool = false) -> Tensor {
    Tensor(handle: Self.ops?.matmul(handle, transposed, b.handle, transposedOther))
  }
  /// x·Wᵀ + bias: weight `[out, in]`, bias `[1, out]`.
  public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    Tensor(handle: Self.ops?.linear(handle, weight.handle, bias?.handle, bias != nil))
  }
  /// `[rows, columns] -> [columns, rows]`
  public func transposed() -> Tensor { Tensor(handle: Self.ops?.transpose(handle)) }
  /// The same values in another shape with as many elements.
  public func reshaped(rows: Int, columns: Int) -> Tensor {
    Tensor(handle: Self.ops?.reshape(handle, rows, columns))
  }
  /// (x - mean)/√(variance + ε)·gain + bias per row, with gain and bias `[1, columns]` (Ba et al. 2016).
  public func layerNorm(gain: Tensor, bias: Tensor, epsilon: Double) -> Tensor {
    Tensor(handle: Self.ops?.layer_norm(handle, gain.handle, bias.handle, Float(epsilon)))
  }
  /// x/√(mean(x²) + ε)·gain per row (Zhang & Sennrich 2019).
  public func rmsNorm(gain: Tensor, epsilon: Double) -> Tensor {
    Tensor(handle: Self.ops?.rms_norm(handle, gain.handle, Float(epsilon)))
  }
  /// Softmax over each row.
  public func softmax() -> Tensor { Tensor(handle: Self.ops?.softmax(handle)) }
  /// Logarithm of the softmax over each row.
  public func logSoftmax() -> Tensor { Tensor(handle: Self.ops?.log_softmax(handle)) }
}

// MARK: - Rows and columns

extension Tensor {
  /// What a reduction runs over.
  public enum Axis: Int32, Sendable {
    /// `[r, c] -> [1, c]`
    case rows = 1
    /// `[r, c] -> [r, 1]`
    case columns = 2
    /// `[r, c] -> [1, 1]`
    case all = 3
  }
  /// The sum over an axis.
  public func sum(over axis: Axis = .all) -> Tensor { Tensor(handle: Self.ops?.sum(handle, axis.rawValue)) }
  /// The mean over an axis.
  public func mean(over axis: Axis = .all) -> Tensor { Tensor(handle: Self.ops?.mean(handle, axis.rawValue)) }

  /// Rows by index, which may repeat: `[indices.count, columns]`.
  public func rows(at indices: some Collection<Int32>) -> Tensor {
    let indices = Array(indices)
    return Tensor(handle: Self.ops?.gather_rows(handle, indices, indices.count))
  }
  /// Rows `range`: `[range.count, columns]`.
  public func rows(_ range: Range<Int>) -> Tensor { rows(at: range.lazy.map(Int32.init)) }
  /// Columns `range`: `[rows, range.count]`.
  public func columns(_ range: Range<Int>) -> Tensor {
    Tensor(handle: Self.ops?.slice_columns(handle, range.lowerBound, range.count))
  }
  /// The rows of several tensors, one after the other.
  public static func concatenatingRows(_ sources: [Tensor]) -> Tensor {
    let counts = sources.map(\.rows)
    let sourceOf = counts.indices.flatMap { Array(repeating: Int32($0), count: counts[$0]) }
    let rowOf = counts.flatMap { (0..<$0).map(Int32.init) }
    return Tensor(
      handle: ops?.assemble_rows(sources.map(\.handle), sources.count, sourceOf, rowOf, rowOf.count))
  }
  /// The columns of several tensors, side by side.
  public static func concatenatingColumns(_ sources: [Tensor]) -> Tensor {
    Tensor(handle: ops?.concatenate_columns(sources.map(\.handle), sources.count))
  }
  /// Row g is the mean of the rows `indices[offsets[g]..<offsets[g+1]]`: `[offsets.count - 1, columns]`.
  public func meanRows(at indices: UnsafeBufferPointer<Int32>, offsets: UnsafeBufferPointer<Int32>) -> Tensor
  {
    Tensor(
      handle: Self.ops?.mean_rows(handle, indices.baseAddress, offsets.baseAddress, offsets.count - 1))
  }
  /// The same with indices and offsets of one's own.
  public func meanRows(at indices: [Int32], offsets: [Int32]) -> Tensor {
    indices.withUnsafeBufferPointer { indices in
      offsets.withUnsafeBufferPointer { meanRows(at: indices, offsets: $0) }
    }
  }
}

// MARK: - Losses

extension Tensor {
  /// Mean cross-entropy of row r against class `targets[r]`, over the rows with a target ≥ 0: `[1, 1]`.
  public func crossEntropy(
    _ targets: UnsafeBufferPointer<Int32>, classWeights: [Float]? = nil, smoothing: Double = 0
  ) -> Tensor {
    guard targets.count == rows else { return Tensor(handle: nil) }
    return Tensor(
      handle: Self.ops?.cross_entropy(handle, targets.baseAddress, classWeights, Float(smoothing)))
  }
  /// The same for targets that were made in the call.
  public func crossEntropy(_ targets: [Int32]) -> Tensor {
    targets.withUnsafeBufferPointer { crossEntropy($0) }
  }
  /// Mean binary cross-entropy of sigmoid(self) against targets in [0, 1], `[rows·columns]`: `[1, 1]`.
  public func sigmoidCrossEntropy(_ targets: [Float]) -> Tensor {
    guard targets.count == rows * columns else { return Tensor(handle: nil) }
    return Tensor(handle: Self.ops?.sigmoid_cross_entropy(handle, targets))
  }
  /// How well row r tells class `targets[r]`: the logarithm of its softmax there, and 1 where no class has a higher
  /// score, else 0; both 0 for a row with a target < 0: `[rows, 2]`. No gradient flows back through it.
  public func targetScores(_ targets: UnsafeBufferPointer<Int32>) -> Tensor {
    guard targets.count == rows else { return Tensor(handle: nil) }
    return Tensor(handle: Self.ops?.target_scores(handle, targets.baseAddress))
  }
}
