import CPTune
import PTune

/// A matrix by a name, for comparisons with reference values.
public struct NamedMatrix: Sendable {
  /// What it is: "input", "layer.0.keys".
  public let name: String
  /// Its rows.
  public let rows: [[Float]]

  /// Values row by row.
  public init(_ name: String, _ values: [Float], columns: Int) {
    self.name = name
    rows = stride(from: 0, to: values.count, by: max(1, columns)).map { Array(values[$0..<$0 + columns]) }
  }
}

/// What single components give, for comparisons with reference values.
extension Model {
  /// What the adapter injects into a batch: `input`, and for each layer `layer.N.rows`, or `layer.N.keys` and
  /// `layer.N.values`. What is injected twice in one place is numbered from the second on: `input.1`.
  ///
  /// - Throws: ``EngineFailure`` of the adapter.
  public func injectedRows(_ batch: PackedBatch) throws -> [NamedMatrix] {
    try session.scoped {
      session.machine.isTraining = batch.isTraining
      let injections = try inject(batch)
      var named: [(name: String, node: Node)] = []
      func add(_ name: String, _ node: Node) {
        let before = named.count { $0.name == name || $0.name.hasPrefix("\(name).") }
        named.append((before == 0 ? name : "\(name).\(before)", node))
      }
      for input in injections.inputs { add("input", input.rows) }
      for (layer, prefixes) in injections.prefixes.sorted(by: { $0.key < $1.key }) {
        for prefix in prefixes {
          add("layer.\(layer).\(prefix.values == nil ? "rows" : "keys")", prefix.rows)
          if let values = prefix.values { add("layer.\(layer).values", values) }
        }
      }
      let values = try session.evaluate(named.map(\.node))
      return zip(named, values).map { NamedMatrix($0.name, $1, columns: $0.node.columns) }
    }
  }

  /// The selector's weights `[count, keys]` for these queries `[count, d]`, one for each sequence of the batch, and
  /// keys `[keys, d]`.
  ///
  /// - Throws: ``EngineFailure`` of the selector.
  public func selectorWeights(
    queries: [[Float]], keys: [[Float]], batch: PackedBatch
  ) throws -> NamedMatrix {
    try session.scoped {
      session.machine.isTraining = false
      guard let selector else { throw failure("weights", "there is no selector") }
      selector.batch = batch
      defer { selector.batch = nil }
      let (queries, keys) = try session.call(Self.run, "weights") { _ in
        (session.node(constant(queries).handle, "weights"), session.node(constant(keys).handle, "weights"))
      }
      guard let queries, let keys, let weights = try selector.weights(0, queries, keys) else {
        throw failure("weights", "queries and keys have to be matrices")
      }
      return NamedMatrix("weights", try session.evaluate(weights), columns: weights.columns)
    }
  }

  /// A head's `scores` and `loss` where the base model gave these hidden rows, one for each token of the batch.
  ///
  /// - Throws: ``EngineFailure`` of the head.
  public func headScores(hidden: [[Float]], batch: PackedBatch, task: Int = 0) throws -> [NamedMatrix] {
    try session.scoped {
      session.machine.isTraining = false
      let (head, identity) = heads[task]
      let view = BatchView(batch)
      view.show(
        Layout(batch, InjectionSet(batch: batch), causal: false), tokens: 0..<batch.tokens.count,
        sequences: 0..<batch.count)
      let seen = Batch(handle: session.handle(for: view, .batch))
      let nodes = try session.call(identity, "scores") { call in
        try Host.within(call) {
          let scores = try head.scores(constant(hidden), seen)
          let loss = try head.loss(scores, seen)
          return [session.node(scores.handle, "scores"), session.node(loss.handle, "loss")]
        }
      }.compactMap { $0 }
      let values = try session.evaluate(nodes)
      return zip(["scores", "loss"], zip(nodes, values)).map {
        NamedMatrix($0, $1.1, columns: $1.0.columns)
      }
    }
  }

  private func constant(_ rows: [[Float]]) -> Tensor {
    .constant(rows.flatMap { $0 }, rows: rows.count, columns: rows.first?.count ?? 0)
  }
}
