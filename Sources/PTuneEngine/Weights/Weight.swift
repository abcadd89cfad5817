import CPTuneKernels

/// A frozen matrix of the base model, `[rows, columns]`: the checkpoint's own memory, and a packed copy for matrix
/// products, made when a product first asks for it; two copies, one for each direction, where the matrix library wants
/// that.
final class Weight {
  let name: String
  let rows: Int
  let columns: Int
  /// The weight that this one is a part of and whose memory it shares, and the part's first row; nil for a whole one.
  let origin: (name: String, row: Int)?
  private let stored: StoredTensor
  /// Where it begins in what is stored.
  private let offset: Int
  /// Floats from one stored row to the next.
  private let stride: Int
  /// Whether what is stored is `[columns, rows]`.
  private let isTransposed: Bool
  private var untransposed: UnsafeMutablePointer<Float>?
  private var forwardPackings: [ComputePrecision: OpaquePointer] = [:]
  private var backwardPackings: [ComputePrecision: OpaquePointer] = [:]

  /// - Parameters:
  ///   - values: `[rows, columns]`, or `[columns, rows]` where it is transposed.
  ///   - owner: keeps `values` alive.
  convenience init(
    name: String, rows: Int, columns: Int, values: UnsafePointer<Float>, transposed: Bool = false,
    owner: AnyObject
  ) {
    let values = UnsafeBufferPointer(start: values, count: rows * columns)
    self.init(
      name: name, rows: rows, columns: columns,
      CheckpointWeight(shape: [rows, columns], values: values, owner: owner), transposed: transposed)
  }

  /// - Parameter tensor: `[rows, columns]`, or `[columns, rows]` where it is transposed; not empty.
  convenience init(
    name: String, rows: Int, columns: Int, _ tensor: CheckpointWeight, transposed: Bool = false
  ) {
    self.init(
      name, rows, columns, StoredTensor(tensor), offset: 0, stride: transposed ? rows : columns,
      transposed: transposed, origin: nil)
  }

  /// A matrix of a tensor `[slices, rows, columns]`, or `[slices, columns, rows]` where it is transposed.
  convenience init(
    name: String, rows: Int, columns: Int, slice: Int, of stored: StoredTensor, transposed: Bool
  ) {
    self.init(
      name, rows, columns, stored, offset: slice * rows * columns, stride: transposed ? rows : columns,
      transposed: transposed, origin: nil)
  }

  private init(
    _ name: String, _ rows: Int, _ columns: Int, _ stored: StoredTensor, offset: Int, stride: Int,
    transposed: Bool, origin: (name: String, row: Int)?
  ) {
    self.name = name
    self.rows = rows
    self.columns = columns
    self.origin = origin
    self.stored = stored
    self.offset = offset
    self.stride = stride
    isTransposed = transposed
  }

  deinit {
    for packing in forwardPackings.values { ptk_packed_free(packing) }
    for packing in backwardPackings.values { ptk_packed_free(packing) }
    untransposed?.deallocate()
  }

  /// Whether it has these dimensions and is stored so.
  func isLaidOut(_ rows: Int, _ columns: Int, transposed: Bool) -> Bool {
    self.rows == rows && self.columns == columns && isTransposed == transposed && !isPart
  }

  /// Whether it is a part of another weight.
  var isPart: Bool { origin != nil }

  /// These rows, or these columns of a vector `[1, n]`.
  func part(_ range: Range<Int>) -> Weight {
    let isVector = rows == 1
    return Weight(
      "\(name)[\(range.lowerBound)..<\(range.upperBound)]", isVector ? 1 : range.count,
      isVector ? range.count : columns, stored,
      offset: offset + range.lowerBound * (isVector || isTransposed ? 1 : stride), stride: stride,
      transposed: isTransposed, origin: (origin?.name ?? name, (origin?.row ?? 0) + range.lowerBound))
  }

  /// The values row by row. Of a weight that is stored transposed this makes a copy, which products do not need.
  ///
  /// - Throws: ``LostWeight``.
  var values: UnsafePointer<Float> {
    get throws {
      guard isTransposed, stride > 1 else { return try found { try stored.values } + offset }
      if let untransposed { return UnsafePointer(untransposed) }
      let copy = try found {
        try stored.read { stored in
          let copy = UnsafeMutablePointer<Float>.allocate(capacity: rows * columns)
          for column in 0..<columns {
            for row in 0..<rows { copy[row * columns + column] = stored[offset + column * stride + row] }
          }
          return copy
        }
      }
      untransposed = copy
      return UnsafePointer(copy)
    }
  }

  private func found<Result>(_ read: () throws -> Result) throws(LostWeight) -> Result {
    do {
      return try read()
    } catch {
      throw LostWeight(name: name, reason: "\(error)")
    }
  }

  // MARK: - Products

  /// About the fewest rows that a product should be given at once: for each lot it reads the whole packed matrix.
  static let pieceRows = 48
  /// Whether one packed copy serves both directions.
  private static let packsBothWays = ptk_packs_both_ways()
  /// Whether a packed copy is one: without a library that packs, products go on reading what is stored.
  static let packingCopies = ptk_chosen_backend() != PTK_CBLAS

  /// Values of a slice: its packed copy fits into the cache that threads share.
  var sliceSize = 1 << 21

  /// The weight cut into parts for products that go through all rows with one part before they turn to the next: such
  /// as of a vocabulary, which comes from memory and not from a cache. Itself where it is not so large.
  var slices: [Weight] { cuts.isEmpty ? [self] : cuts }

  /// The slices of a weight that is cut; empty for others, which must not keep themselves alive.
  private lazy var cuts: [Weight] = {
    guard rows * columns > 4 * sliceSize else { return [] }
    let length = max(64, sliceSize / columns / 64 * 64)
    return Swift.stride(from: 0, to: rows, by: length).map { part($0..<min($0 + length, rows)) }
  }()

  /// The first row of each slice.
  var slicePlaces: [Int] { slices.map { ($0.origin?.row ?? 0) - (origin?.row ?? 0) } }

  /// Packs the slices, each for x·Wᵀ.
  ///
  /// - Throws: ``LostWeight``.
  func packedSlices(_ precision: ComputePrecision) throws -> [OpaquePointer?] {
    try packSlices { try $0.packed(precision) }
  }

  /// Packs the slices, each for dy·W.
  ///
  /// - Throws: ``LostWeight``.
  func packedSlicesTransposed(_ precision: ComputePrecision) throws -> [PackedTranspose] {
    try packSlices { try $0.packedTransposed(precision) }
  }

  private func packSlices<Packed>(_ pack: (Weight) throws -> Packed) throws -> [Packed] {
    Self.packingCopies ? try stored.readingOften { try slices.map(pack) } : try slices.map(pack)
  }

  private func pack(_ pack: (UnsafePointer<Float>) -> OpaquePointer?) throws -> OpaquePointer? {
    let packed = try found {
      Self.packingCopies ? try stored.read { pack($0 + offset) } : pack(try stored.values + offset)
    }
    if Self.packingCopies { stored.letGo() }
    return packed
  }

  /// Wᵀ `[columns, rows]` packed, for x·Wᵀ.
  ///
  /// - Throws: ``LostWeight``.
  func packed(_ precision: ComputePrecision) throws -> OpaquePointer? {
    if let known = forwardPackings[precision] { return known }
    let packing = try pack {
      servesBothWays(precision)
        ? ptk_pack_both_ways($0, stride, columns, rows, !isTransposed)
        : ptk_pack($0, stride, columns, rows, !isTransposed, precision.kernel)
    }
    forwardPackings[precision] = packing
    return packing
  }

  /// W packed, for dy·W.
  ///
  /// - Throws: ``LostWeight``.
  func packedTransposed(_ precision: ComputePrecision) throws -> PackedTranspose {
    if servesBothWays(precision) {
      return PackedTranspose(packing: try packed(precision), isTransposed: true)
    }
    if let known = backwardPackings[precision] { return PackedTranspose(packing: known, isTransposed: false) }
    let packing = try pack { ptk_pack($0, stride, rows, columns, isTransposed, precision.kernel) }
    backwardPackings[precision] = packing
    return PackedTranspose(packing: packing, isTransposed: false)
  }

  /// In bf16 two copies take no more than one in single precision.
  private func servesBothWays(_ precision: ComputePrecision) -> Bool {
    precision == .f32 && Self.packsBothWays
  }

  /// A packed matrix W `[n, k]`, or its transpose.
  struct PackedTranspose: @unchecked Sendable {
    // @unchecked: nothing writes to a packed matrix.
    fileprivate let packing: OpaquePointer?
    /// Whether Wᵀ was packed.
    let isTransposed: Bool

    /// dx `[rows, k]` = dy `[rows, n]`·W, or added to it; rows of dy are `stride` apart.
    func multiply(_ rows: Int, _ dy: Floats, _ stride: Int, adding: Bool = false, _ dx: Floats, _ k: Int) {
      if isTransposed {
        ptk_gemm_packed_transposed(packing, rows, dy, stride, adding, dx, k)
      } else if adding {
        ptk_gemm_packed_add(packing, rows, dy, stride, dx, k)
      } else {
        ptk_gemm_packed(packing, rows, dy, stride, nil, dx, k)
      }
    }
  }
}

/// Where a base model's config and weights come from.
public protocol CheckpointSource: AnyObject {
  /// The value of a key of config.json, with dots for what lies in objects and lists; nil if it is absent or null.
  func configuration(_ key: String) -> ConfigurationValue?
  /// The keys of config.json, with dots for what lies in objects; a list is one key.
  var configurationKeys: [String] { get }
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
  /// A list of so many elements, which have their numbers behind a dot: "layer_types.0".
  case list(count: Int)
  /// An object with these members, which have their names behind a dot.
  case object(members: [String])
}

/// A tensor of a checkpoint.
public struct CheckpointWeight {
  /// Its dimensions.
  public let shape: [Int]
  /// Its values in row-major order.
  public let values: UnsafeBufferPointer<Float>
  /// Keeps `values` alive.
  public let owner: AnyObject
  /// Lets the system take the memory of the values, which can still be read afterwards: those of a mapped file. Nil where
  /// that is not so.
  public var discard: (() -> Void)?
  /// The name of another tensor of the checkpoint that has the same values, so that one copy of both is enough; nil if
  /// none is known.
  public var sameAs: String?
  /// Makes it again, so that its values need not be kept; nil where they have to be.
  public var again: (() throws -> CheckpointWeight)?

  /// A tensor with these values.
  public init(shape: [Int], values: UnsafeBufferPointer<Float>, owner: AnyObject) {
    self.shape = shape
    self.values = values
    self.owner = owner
  }
}
