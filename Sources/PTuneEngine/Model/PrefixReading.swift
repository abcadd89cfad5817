import CPTune
import PTune

extension Model {
  /// Keys and values that the adapter's hidden prefixes become at each layer: what the frozen layer's own projections
  /// make of them, turned by their positions where the model turns keys. Both `[P, key-value size]`, row-major.
  ///
  /// - Returns: one pair for each layer; nil unless every layer has hidden rows, as many, that all sequences share.
  /// - Throws: ``EngineFailure``.
  public func keysAndValuesOfPrefixes() throws -> [(keys: [Float], values: [Float])]? {
    guard let facts else { return nil }
    return try session.scoped {
      session.machine.isTraining = false
      let batch = PackedBatch([.init(tokens: [0])], training: false)
      let injections = try inject(batch)
      let rows = (0..<facts.layers).map { layer -> Int? in
        let prefixes = injections.prefixes[layer, default: []]
        guard prefixes.count == 1, prefixes[0].values == nil, !prefixes[0].perSequence else { return nil }
        return prefixes[0].rows.rows
      }
      guard let count = rows.first ?? nil, rows.allSatisfy({ $0 == count }), injections.inputs.isEmpty else {
        return nil
      }
      let pass = ForwardPass(batch: batch, injections: injections, causal: facts.causal)
      _ = try run(pass)
      let nodes = (0..<facts.layers).compactMap { pass.keysAndValues[$0] }
      guard nodes.count == facts.layers else { return nil }
      // The prefix's rows stand in front of the text's.
      let size = count * facts.keyValueSize
      let values = try session.evaluate(nodes.flatMap { [$0.keys, $0.values] }).map { Array($0.prefix(size)) }
      return nodes.indices.map { (values[2 * $0], values[2 * $0 + 1]) }
    }
  }
}
