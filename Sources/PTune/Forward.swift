import CPTune

/// One forward pass of a base model (`ptune.forward/1`).
public struct Forward {
  let handle: OpaquePointer?
  private var table: ptune_forward_v1? { Host.tables.forward?.pointee }

  /// Wraps the handle a base model was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  private var rows: ptune_rows_v1 {
    var rows = ptune_rows_v1()
    table?.rows(handle, &rows)
    return rows
  }
  /// The position of each packed row within its sequence, `[rows]`.
  public var positions: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: rows.positions, count: rows.count)
  }
  /// The segment (0 or 1) of each packed row, `[rows]`.
  public var tokenTypes: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: rows.token_types, count: rows.count)
  }
  /// Word embeddings of the text, with the rows an adapter injects at their places: `[rows, hidden]`.
  public func inputRows(from table: Tensor) -> Tensor {
    Tensor(handle: self.table?.input_rows(handle, table.handle))
  }
  /// x·Wᵀ + bias with frozen weights, and what an adapter attaches where the weight is a ``Site``'s.
  public func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    Tensor(handle: table?.linear(handle, x.handle, weight.handle, bias?.handle, bias != nil))
  }
  /// The rows that keys and values of a layer are computed from: hidden prefix rows, then those of x.
  public func keyRows(layer: Int, _ x: Tensor) -> Tensor {
    Tensor(handle: table?.key_rows(handle, layer, x.handle))
  }
  /// softmax(q·kᵀ/√d)·v per head, of each sequence to itself and to what is injected at this layer
  /// (Vaswani 2017, eq. 1): q `[rows, heads·d]`, k and v `[key rows, keyValueHeads·d]`.
  public func attention(
    layer: Int, queries: Tensor, keys: Tensor, values: Tensor, heads: Int, keyValueHeads: Int
  ) -> Tensor {
    Tensor(
      handle: table?.attention(
        handle, layer, queries.handle, keys.handle, values.handle, heads, keyValueHeads))
  }
  /// Queries `[rows, heads·d]` turned by the position of each row.
  public func rotate(queries: Tensor, heads: Int, by rotation: Rotation) -> Tensor {
    Tensor(
      handle: rotation.withRaw { table?.rotate_queries(handle, queries.handle, heads, $0) })
  }
  /// Keys `[key rows, keyValueHeads·d]`, computed from ``keyRows(layer:_:)``, turned by the position of each row.
  /// Hidden prefix rows are at positions 0, 1, … of their own; keys that an adapter injects are never turned.
  public func rotate(keys: Tensor, layer: Int, keyValueHeads: Int, by rotation: Rotation) -> Tensor {
    Tensor(
      handle: rotation.withRaw { table?.rotate_keys(handle, layer, keys.handle, keyValueHeads, $0) })
  }
}

/// How rotary positions turn the columns of a head (Su et al. 2021, https://arxiv.org/abs/2104.09864, section 3.4).
public struct Rotation: Sendable, Equatable {
  /// The angle of each pair of columns per position, in radians; columns beyond the pairs stay as they are.
  public var frequencies: [Float]
  /// What the turned columns are multiplied by.
  public var scale: Float
  /// Whether a pair is columns 2i and 2i+1; else i and i + pairs, as transformers has it.
  public var isInterleaved: Bool

  /// A rotation with these angles.
  public init(frequencies: [Float], scale: Float = 1, isInterleaved: Bool = false) {
    self.frequencies = frequencies
    self.scale = scale
    self.isInterleaved = isInterleaved
  }

  fileprivate func withRaw<Result>(_ body: (UnsafePointer<ptune_rotation_v1>) -> Result) -> Result {
    frequencies.withUnsafeBufferPointer {
      var raw = ptune_rotation_v1(
        frequencies: $0.baseAddress, pairs: $0.count, scale: scale, interleaved: isInterleaved)
      return body(&raw)
    }
  }
}
