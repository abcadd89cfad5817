import CPTuneKernels

/// A frozen matrix of the base model, `[rows, columns]`: the checkpoint's own memory, and packed copies for matrix
/// products, made when a product first asks for them.
final class Weight {
  let name: String
  let rows: Int
  let columns: Int
  /// The weight that this one is a part of and whose memory it shares, and the part's first row; nil for a whole one.
  let origin: (name: String, row: Int)?
  private let stored: UnsafePointer<Float>
  /// Floats from one stored row to the next.
  private let stride: Int
  /// Whether what is stored is `[columns, rows]`.
  private let isTransposed: Bool
  // What `stored` points into must live as long.
  private let owner: AnyObject
  private var untransposed: UnsafeMutablePointer<Float>?
  private var forwardPacking: OpaquePointer?
  private var backwardPacking: OpaquePointer?

  /// - Parameters:
  ///   - values: `[rows, columns]`, or `[columns, rows]` where it is transposed.
  ///   - owner: keeps `values` alive.
  convenience init(
    name: String, rows: Int, columns: Int, values: UnsafePointer<Float>, transposed: Bool = false,
    owner: AnyObject
  ) {
    self.init(
      name, rows, columns, values, stride: transposed ? rows : columns, transposed: transposed, origin: nil,
      owner)
  }

  private init(
    _ name: String, _ rows: Int, _ columns: Int, _ stored: UnsafePointer<Float>, stride: Int,
    transposed: Bool, origin: (name: String, row: Int)?, _ owner: AnyObject
  ) {
    self.name = name
    self.rows = rows
    self.columns = columns
    self.origin = origin
    self.stored = stored
    self.stride = stride
    isTransposed = transposed
    self.owner = owner
  }

  deinit {
    ptk_packed_free(forwardPacking)
    ptk_packed_free(backwardPacking)
    untransposed?.deallocate()
  }

  /// Whether it is a part of another weight.
  var isPart: Bool { origin != nil }

  /// These rows, or these columns of a vector `[1, n]`.
  func part(_ range: Range<Int>) -> Weight {
    let isVector = rows == 1
    return Weight(
      "\(name)[\(range.lowerBound)..<\(range.upperBound)]", isVector ? 1 : range.count,
      isVector ? range.count : columns, stored + range.lowerBound * (isVector || isTransposed ? 1 : stride),
      stride: stride, transposed: isTransposed,
      origin: (origin?.name ?? name, (origin?.row ?? 0) + range.lowerBound), owner)
  }

  /// The values row by row. Of a weight that is stored transposed this makes a copy, which products do not need.
  var values: UnsafePointer<Float> {
    guard isTransposed, stride > 1 else { return stored }
    if let untransposed { return UnsafePointer(untransposed) }
    let copy = UnsafeMutablePointer<Float>.allocate(capacity: rows * columns)
    for column in 0..<columns {
      for row in 0..<rows { copy[row * columns + column] = stored[column * stride + row] }
    }
    untransposed = copy
    return UnsafePointer(copy)
  }

  /// Wᵀ `[columns, rows]` packed, for x·Wᵀ.
  var packed: OpaquePointer? {
    if forwardPacking == nil { forwardPacking = ptk_pack(stored, stride, columns, rows, !isTransposed) }
    return forwardPacking
  }

  /// W `[rows, columns]` packed, for dy·W.
  var packedTransposed: OpaquePointer? {
    if backwardPacking == nil { backwardPacking = ptk_pack(stored, stride, rows, columns, isTransposed) }
    return backwardPacking
  }
}

/// Where a base model's config and weights come from.
public protocol CheckpointSource: AnyObject {
  /// The value of a key of config.json; nil if it is absent or null.
  func configuration(_ key: String) -> ConfigurationValue?
  /// Whether there is a tensor of this name.
  func hasWeight(_ name: String) -> Bool
  /// A tensor's shape and values in single precision; nil if there is none of this name. The values live as long as
  /// the owner.
  ///
  /// - Throws: if the tensor cannot be read or holds no real numbers.
  func weight(_ name: String) throws -> CheckpointWeight?
}

/// A value of config.json.
public enum ConfigurationValue: Sendable, Equatable {
  /// A whole number.
  case integer(Int)
  /// Another number.
  case number(Double)
  /// true or false.
  case boolean(Bool)
  /// A text.
  case string(String)
  /// A list or an object.
  case other(String)
}

/// A tensor of a checkpoint.
public struct CheckpointWeight {
  /// Its dimensions.
  public let shape: [Int]
  /// Its values in row-major order.
  public let values: UnsafeBufferPointer<Float>
  /// Keeps `values` alive.
  public let owner: AnyObject

  /// A tensor with these values.
  public init(shape: [Int], values: UnsafeBufferPointer<Float>, owner: AnyObject) {
    self.shape = shape
    self.values = values
    self.owner = owner
  }
}
