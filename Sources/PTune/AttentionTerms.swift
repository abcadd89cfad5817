import CPTune

/// What is added to an attention score besides the product of query and key (`ptune.attention/1`); ptune_1_1.h has the
/// formula, and says where prefixes and virtual tokens stand.
public enum AttentionTerm {
  /// What products are multiplied by, instead of 1/√d.
  case scale(Float)
  /// cap·tanh(x/cap) of the scaled products (Gemma 2).
  case softCap(Float)
  /// A query sees keys at distances -left … right only; nil is no limit.
  ///
  /// - keepsInjected: whether keys that an adapter injects stay inside however far the text has moved on. If not, they
  ///   leave the window as the tokens in whose place they stand would, as PEFT's prefixes do in transformers.
  case window(left: Int?, right: Int?, keepsInjected: Bool)
  /// Scores fall with the distance by the slope of each head, `[heads]` (Press et al. 2022).
  case alibi([Float])
  /// A bias for each head by distance (T5): a table `[buckets, heads]`.
  case relativeBias(RelativeTable)
  /// Keys of distances, which queries are multiplied with (DeBERTa): a table `[buckets, heads·d]`.
  case contentToPosition(RelativeTable)
  /// Queries of distances, which keys are multiplied with (DeBERTa): a table `[buckets, heads·d]`.
  case positionToContent(RelativeTable)
  /// A score of each head in every softmax that goes to no value: `[1, heads]`.
  case sinks(Tensor)
}

/// Rows of a table by distance, which is the place of the key less that of the query.
public struct RelativeTable {
  /// A row for each bucket.
  public var table: Tensor
  /// The row for the distances `first`, `first + 1`, …; beyond, the first one's or the last one's.
  public var buckets: [Int32]
  /// The lowest distance with a bucket of its own.
  public var first: Int

  /// A table with these buckets.
  public init(_ table: Tensor, buckets: [Int32], first: Int) {
    (self.table, self.buckets, self.first) = (table, buckets, first)
  }

  /// A table with the buckets of `distances` as a function has them.
  public init(_ table: Tensor, distances: ClosedRange<Int>, bucket: (Int) -> Int) {
    self.init(table, buckets: distances.map { Int32(bucket($0)) }, first: distances.lowerBound)
  }
}

extension Forward {
  /// ``attention(layer:queries:keys:values:heads:keyValueHeads:)`` with terms, each kind at most once.
  public func attention(
    layer: Int, queries: Tensor, keys: Tensor, values: Tensor, heads: Int, keyValueHeads: Int,
    terms: [AttentionTerm]
  ) -> Tensor {
    guard let table = Host.tables.attention?.pointee else {
      Host.missing(PTUNE_ATTENTION_V1)
      return Tensor(handle: nil)
    }
    var memory: [UnsafeMutableRawPointer] = []
    defer { for block in memory { block.deallocate() } }
    let raw = terms.map { $0.raw(&memory) }
    return Tensor(
      handle: table.attend(
        handle, layer, queries.handle, keys.handle, values.handle, heads, keyValueHeads, raw, raw.count))
  }

  /// The position of each of the rows that ``keyRows(layer:_:)`` gave: hidden prefix rows at 0, 1, … of their own, then
  /// the sequences' rows.
  public func keyPositions(layer: Int) -> UnsafeBufferPointer<Int32> {
    var positions: UnsafePointer<Int32>?
    let count = Host.tables.attention?.pointee.key_positions(handle, layer, &positions) ?? 0
    return UnsafeBufferPointer(start: positions, count: count)
  }
}

extension AttentionTerm {
  /// The term as the ABI has it; what it points to is in `memory`.
  fileprivate func raw(_ memory: inout [UnsafeMutableRawPointer]) -> ptune_attention_term_v1 {
    func keep<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeRawPointer {
      let block = UnsafeMutableRawPointer.allocate(
        byteCount: max(1, values.count * MemoryLayout<Value>.stride), alignment: 16)
      values.withUnsafeBytes {
        block.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(block), byteCount: $0.count)
      }
      memory.append(block)
      return UnsafeRawPointer(block)
    }
    func keep(_ table: RelativeTable) -> UnsafeRawPointer {
      let buckets = keep(table.buckets).assumingMemoryBound(to: Int32.self)
      return keep([
        ptune_relative_v1(
          table: table.table.handle, buckets: buckets, distances: table.buckets.count,
          first: Int32(clamping: table.first))
      ])
    }
    let (kind, value): (Int, UnsafeRawPointer?) =
      switch self {
      case .scale(let scale): (PTUNE_ATTENTION_SCALE, keep([scale]))
      case .softCap(let cap): (PTUNE_ATTENTION_SOFT_CAP, keep([cap]))
      case .window(let left, let right, let keepsInjected):
        (
          PTUNE_ATTENTION_WINDOW,
          keep([
            ptune_window_v1(left: left ?? .max, right: right ?? .max, keeps_injected: keepsInjected)
          ])
        )
      case .alibi(let slopes): (PTUNE_ATTENTION_ALIBI, keep(slopes))
      case .relativeBias(let table): (PTUNE_ATTENTION_RELATIVE_BIAS, keep(table))
      case .contentToPosition(let table): (PTUNE_ATTENTION_CONTENT_TO_POSITION, keep(table))
      case .positionToContent(let table): (PTUNE_ATTENTION_POSITION_TO_CONTENT, keep(table))
      case .sinks(let tensor): (PTUNE_ATTENTION_SINKS, tensor.handle.map { UnsafeRawPointer($0) })
      }
    return ptune_attention_term_v1(kind: ptune_attention_kind(kind), value: value)
  }
}
