import CPTune
import PTune

/// The selector of a run at work: it answers an adapter that asks for weights over its pool while it injects.
final class RunSelector {
  let identity: ComponentIdentity
  private let selector: any Selector
  private unowned let session: Session
  /// The batch of the `inject` in progress; nil between them.
  var batch: PackedBatch? {
    didSet { if batch != nil { first = nil } }
  }
  /// The weights of all sequences that the latest `inject` asked for first, `[count, keys]`.
  private(set) var first: Node?

  init(_ selector: any Selector, _ identity: ComponentIdentity, _ session: Session) {
    self.selector = selector
    self.identity = identity
    self.session = session
  }

  /// Weights `[count, keys]` from queries `[count, d]`, of the sequences from `first` on, and keys `[keys, d]`.
  ///
  /// - Throws: ``EngineFailure`` of the selector, or a ``ComponentFailure`` that says how the adapter asked wrongly.
  func weights(_ first: Int, _ queries: Node, _ keys: Node) throws -> Node? {
    guard let batch else { throw ComponentFailure("a selector can be called only in `inject`") }
    guard queries.columns == keys.columns else {
      throw ComponentFailure(
        "queries \(queries.shapeText) and keys \(keys.shapeText) differ in their number of columns")
    }
    guard first >= 0, first <= batch.count, queries.rows <= batch.count - first else {
      throw ComponentFailure(
        "\(queries.rows) queries from sequence \(first) on; the batch has \(batch.count) sequences")
    }
    let view = BatchView(batch.slice(first..<first + queries.rows))
    return try session.call(identity, "weights") { call in
      let weights = try Host.within(call) {
        try selector.weights(
          Batch(handle: session.handle(for: view, .batch)),
          queries: Tensor(handle: session.handle(for: queries)),
          keys: Tensor(handle: session.handle(for: keys)))
      }
      let node = session.node(weights.handle, "weights")
      if let node, node.rows != queries.rows || node.columns != keys.rows {
        session.record("weights are \(node.shapeText) for \(queries.rows) queries and \(keys.rows) keys")
      }
      if self.first == nil, let node, node.rows == batch.count { self.first = node }
      return node
    }
  }
}
