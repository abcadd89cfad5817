import CPTuneKernels

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
  /// Where the attention of a batch's texts goes, layer by layer: the weights in front of the values, computed again from
  /// the queries, the keys and the terms that the layers' attention reads.
  ///
  /// - Throws: ``EngineFailure``.
  public func attentionToPrompt(_ batch: PackedBatch) throws -> [PromptAttention] {
    try session.scoped {
      session.machine.isTraining = false
      let pass = ForwardPass(batch: batch, injections: try inject(batch), causal: facts?.causal ?? false)
      _ = try run(pass)
      let layers = pass.attentions.sorted { $0.key < $1.key }
      return try session.evaluate(layers.flatMap { Self.scoreInputs($0.value) }) { values in
        var rest = values[...]
        return layers.compactMap { layer, node in
          let count = Self.scoreInputs(node).count
          defer { rest = rest.dropFirst(count) }
          return AttentionReading(pass, layer: layer, node, Array(rest.prefix(count)))?.shares
        }
      }
    }
  }

  /// The queries of an attention, the keys of each source and the tables of its terms.
  private static func scoreInputs(_ node: Node) -> [Node] {
    guard let operation = node.operation as? AttentionOperation else { return [] }
    let sources = operation.sourceInputs(of: node.inputs.count)
    let keys = stride(from: sources.lowerBound, to: sources.upperBound, by: 2).map { node.inputs[$0] }
    return [node.inputs[0]] + keys + node.inputs[sources.upperBound...]
  }
}

/// Computes the weights of one layer's attention, a row and a head at a time.
private struct AttentionReading {
  private let pass: ForwardPass
  private let layer: Int
  private var operation: AttentionOperation
  private var operands: AttentionOperands

  /// - Parameter values: of the queries, of each source's keys and of the terms' tables.
  init?(_ pass: ForwardPass, layer: Int, _ node: Node, _ values: [UnsafeBufferPointer<Float>]) {
    guard let operation = node.operation as? AttentionOperation else { return nil }
    (self.pass, self.layer, self.operation) = (pass, layer, operation)
    let own = operation.sourceInputs(of: node.inputs.count)
    operands = AttentionOperands(queries: values[0].baseAddress, queryColumns: node.columns)
    for (index, keys) in values[1...own.count / 2].enumerated() {
      // The weights do not depend on the values in front of which they stand.
      operands.sources.append(
        ptk_key_values(
          keys: keys.baseAddress, values: keys.baseAddress, key_gradients: nil, value_gradients: nil,
          stride: node.inputs[1 + 2 * index].columns))
    }
    for (index, table) in zip(own.upperBound..<node.inputs.count, values.dropFirst(1 + own.count / 2)) {
      operands.tables[index] = .init(
        value: table.baseAddress, gradient: nil, columns: node.inputs[index].columns)
    }
    if operation.terms == nil {
      var places = KeyPlaces(queries: Array(repeating: 0, count: node.rows))
      for index in stride(from: own.lowerBound, to: own.upperBound, by: 2) {
        let rows = node.inputs[index].rows
        places.appendSource(Array(repeating: 0, count: rows), injected: Array(repeating: 0, count: rows))
      }
      self.operation.terms = AttentionTerms(places: places)
    }
  }

  /// Of each key of a segment its number among the segment's virtual tokens; nil for a row of the text.
  private func virtualNumbers(_ segment: AttentionSegment) -> [Int?] {
    var count = 0
    return segment.keys.flatMap { range in
      range.rows.map { row in
        guard pass.isVirtual(row, ofSource: range.source, layer: layer) else { return nil }
        count += 1
        return count - 1
      }
    }
  }

  var shares: PromptAttention {
    var tokenOf: [Int32: Int] = [:]
    for (token, row) in pass.layout.textRows.enumerated() { tokenOf[row] = token }
    var heads = [Double](repeating: 0, count: operation.heads)
    var tokens = [Double](repeating: 0, count: pass.layout.textRows.count)
    var virtualTokens: [Double] = []
    operation.withKernel(operands) { kernel, terms in
      guard let terms else { return }
      for (index, segment) in operation.segments.enumerated() {
        let numbers = virtualNumbers(segment)
        let virtual = numbers.count { $0 != nil }
        virtualTokens += Array(repeating: 0, count: max(0, virtual - virtualTokens.count))
        var weights = [Float](repeating: 0, count: numbers.count)
        for row in segment.queries {
          guard let token = tokenOf[row] else { continue }
          for head in heads.indices {
            ptk_attention_terms_weights(kernel, terms, index, Int(row), head, &weights)
            for case (let number?, let weight) in zip(numbers, weights) {
              heads[head] += Double(weight)
              tokens[token] += Double(weight)
              virtualTokens[number] += Double(weight)
            }
          }
        }
      }
    }
    let (headCount, rows) = (Double(heads.count), Double(max(1, tokens.count)))
    return PromptAttention(
      layer: layer, heads: heads.map { $0 / rows }, tokens: tokens.map { $0 / headCount },
      virtualTokens: virtualTokens.map { $0 / (headCount * rows) })
  }
}
