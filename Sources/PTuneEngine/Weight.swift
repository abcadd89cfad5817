import CPTuneKernels

/// A frozen matrix of the base model, `[rows, columns]`: the checkpoint's own memory, and packed copies for matrix
/// products, made when a product first asks for them.
final class Weight {
  let name: String
  let rows: Int
  let columns: Int
  let values: UnsafePointer<Float>
  // What `values` points into must live as long.
  private let owner: AnyObject
  private var forwardPacking: OpaquePointer?
  private var backwardPacking: OpaquePointer?

  /// - Parameter owner: keeps `values`, `[rows·columns]`, alive.
  init(name: String, rows: Int, columns: Int, values: UnsafePointer<Float>, owner: AnyObject) {
    self.name = name
    self.rows = rows
    self.columns = columns
    self.values = values
    self.owner = owner
  }

  deinit {
    ptk_packed_free(forwardPacking)
    ptk_packed_free(backwardPacking)
  }

  /// Wᵀ `[columns, rows]` packed, for x·Wᵀ.
  var packed: OpaquePointer? {
    if forwardPacking == nil { forwardPacking = ptk_pack(values, columns, columns, rows, true) }
    return forwardPacking
  }

  /// W `[rows, columns]` packed, for dy·W.
  var packedTransposed: OpaquePointer? {
    if backwardPacking == nil { backwardPacking = ptk_pack(values, columns, rows, columns, false) }
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
