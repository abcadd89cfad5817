import CPTune
import PTune

/// What is kept of a trained model.
extension Model {
  /// A tensor of the result.
  public struct SavedTensor: Sendable {
    /// Its name.
    public let name: String
    /// Its dimensions.
    public let shape: [Int]
    /// Its values in row-major order.
    public let values: [Float]

    /// A tensor with values from elsewhere.
    public init(name: String, shape: [Int], values: [Float]) {
      (self.name, self.shape, self.values) = (name, shape, values)
    }
  }

  /// What the file holds of an adapter, and hyperparameters (as JSON) the saved adapter has instead of its own.
  ///
  /// - Parameter index: its number; the first one's by default.
  public func exportAdapter(_ index: Int = 0) throws -> (
    tensors: [SavedTensor], hyperparameters: [(name: String, json: String)]
  ) {
    guard adapters.indices.contains(index) else { return ([], []) }
    let adapter = adapters[index]
    guard let folding = adapter.method as? any FoldingAdapter else {
      return (saved(owner: adapter.identity.owner), [])
    }
    return try session.scoped {
      session.machine.isTraining = false
      let record = ExportRecord()
      let export = session.handle(for: record, .export)
      try session.call(adapter.identity, "save") { call in
        try Host.within(call) { try folding.save(to: Export(handle: export)) }
      }
      let tensors = try record.tensors.map {
        SavedTensor(name: $0.name, shape: $0.shape, values: try session.evaluate($0.node))
      }
      return (tensors, record.hyperparameters)
    }
  }

  /// The parameters of the selector; empty without one.
  public func exportSelector() -> [SavedTensor] { selector.map { saved(owner: $0.identity.owner) } ?? [] }

  /// The parameters of a task's head.
  public func exportHead(task: Int) -> [SavedTensor] { saved(owner: heads[task].identity.owner) }

  private func saved(owner: String) -> [SavedTensor] {
    parameters.filter { $0.owner == owner }.map {
      SavedTensor(
        name: $0.name, shape: $0.shape, values: Array(UnsafeBufferPointer(start: $0.values, count: $0.count)))
    }
  }
}
