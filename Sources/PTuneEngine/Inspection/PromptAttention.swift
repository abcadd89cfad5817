import PTuneLibc

/// How much of the attention of a layer goes to virtual tokens: of each row of the text a share between 0 and 1.
public struct PromptAttention: Sendable, Equatable {
  /// The layer, from 0.
  public let layer: Int
  /// The share of each head, the mean over the tokens of the text: `[heads]`.
  public let heads: [Double]
  /// The share of each token, the mean over the heads: `[tokens]`.
  public let tokens: [Double]
  /// What each virtual token gets, the mean over heads and tokens, in the order in which the text sees them; where an
  /// example has several sequences, the mean over them. Empty at a layer without any.
  public let virtualTokens: [Double]

  /// The share of the layer, the mean over heads and tokens.
  public var mean: Double { heads.reduce(0, +) / Double(max(1, heads.count)) }
}

extension Model {
  /// Where the attention of a batch's texts goes, layer by layer: computed from the queries and keys that the layers'
  /// attention reads, which is softmax(q·kᵀ/√d) in front of the values.
  ///
  /// - Throws: ``EngineFailure``.
  public func attentionToPrompt(_ batch: PackedBatch) throws -> [PromptAttention] {
    try session.scoped {
      session.machine.isTraining = false
      let pass = ForwardPass(batch: batch, injections: try inject(batch), causal: facts?.causal ?? false)
      _ = try run(pass)
      let layers = pass.attentions.sorted { $0.key < $1.key }
      return try session.evaluate(layers.flatMap { Self.queriesAndKeys($0.value) }) { values in
        var rest = values[...]
        return layers.compactMap { layer, node in
          let count = Self.queriesAndKeys(node).count
          defer { rest = rest.dropFirst(count) }
          return AttentionReading(pass, layer: layer, node, Array(rest.prefix(count)))?.shares
        }
      }
    }
  }

  /// The queries of an attention, and the keys of each source.
  private static func queriesAndKeys(_ node: Node) -> [Node] {
    [node.inputs[0]] + stride(from: 1, to: node.inputs.count, by: 2).map { node.inputs[$0] }
  }
}

/// Computes the weights of one layer's attention, a row and a head at a time.
private struct AttentionReading {
  private let pass: ForwardPass
  private let layer: Int
  private let operation: AttentionOperation
  private let queries: UnsafeBufferPointer<Float>
  /// Of each source, `[rows, kv heads·d]`.
  private let keys: [UnsafeBufferPointer<Float>]
  private let size: Int

  /// - Parameter values: of the queries and of each source's keys.
  init?(_ pass: ForwardPass, layer: Int, _ node: Node, _ values: [UnsafeBufferPointer<Float>]) {
    guard let operation = node.operation as? AttentionOperation else { return nil }
    (self.pass, self.layer, self.operation) = (pass, layer, operation)
    (queries, keys) = (values[0], Array(values.dropFirst()))
    size = node.columns / operation.heads
  }

  /// A key that rows of a segment see.
  private struct Key {
    let values: UnsafePointer<Float>
    /// Its number among the virtual tokens of the segment; nil for a row of the text.
    let virtual: Int?
  }

  private func keys(of segment: AttentionSegment) -> [Key] {
    var seen: [Key] = []
    var count = 0
    let columns = size * operation.keyValueHeads
    for range in segment.keys {
      guard let start = keys[Int(range.source)].baseAddress else { continue }
      for row in range.rows {
        let isVirtual = pass.isVirtual(row, ofSource: range.source, layer: layer)
        seen.append(Key(values: start + Int(row) * columns, virtual: isVirtual ? count : nil))
        count += isVirtual ? 1 : 0
      }
    }
    return seen
  }

  var shares: PromptAttention {
    var tokenOf: [Int32: Int] = [:]
    for (token, row) in pass.layout.textRows.enumerated() { tokenOf[row] = token }
    var heads = [Double](repeating: 0, count: operation.heads)
    var tokens = [Double](repeating: 0, count: pass.layout.textRows.count)
    var virtualTokens: [Double] = []
    for segment in operation.segments {
      let keys = keys(of: segment)
      let virtual = keys.compactMap(\.virtual).count
      virtualTokens += Array(repeating: 0, count: max(0, virtual - virtualTokens.count))
      for row in segment.queries {
        guard let token = tokenOf[row] else { continue }
        let seen = operation.visible.map { keys.prefix(Int($0[Int(row)])) } ?? keys[...]
        for head in heads.indices {
          for (key, weight) in zip(seen, weights(Int(row), head, seen)) {
            guard let number = key.virtual else { continue }
            heads[head] += weight
            tokens[token] += weight
            virtualTokens[number] += weight
          }
        }
      }
    }
    let (headCount, rows) = (Double(heads.count), Double(max(1, tokens.count)))
    return PromptAttention(
      layer: layer, heads: heads.map { $0 / rows }, tokens: tokens.map { $0 / headCount },
      virtualTokens: virtualTokens.map { $0 / (headCount * rows) })
  }

  /// softmax(q·kᵀ/√d) of a row's head.
  private func weights(_ row: Int, _ head: Int, _ keys: ArraySlice<Key>) -> [Double] {
    guard let start = queries.baseAddress else { return [] }
    let query = start + (row * operation.heads + head) * size
    let offset = head / (operation.heads / operation.keyValueHeads) * size
    let scale = 1 / Double(size).squareRoot()
    let scores = keys.map { key in
      (0..<size).reduce(0.0) { $0 + Double(query[$1]) * Double(key.values[offset + $1]) } * scale
    }
    let largest = scores.max() ?? 0
    let powers = scores.map { exp($0 - largest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }
}
