import PTune

/// What adapters asked to add to one forward pass.
final class InjectionSet {
  struct Input {
    let rows: Node
    let placement: Placement
    let perSequence: Bool
  }
  struct Prefix {
    /// Hidden rows, or keys.
    let rows: Node
    /// Values, in the key-value form.
    let values: Node?
    let perSequence: Bool
  }

  let batch: PackedBatch
  var inputs: [Input] = []
  var prefixes: [Int: [Prefix]] = [:]
  var firstPosition = 0
  var losses: [Node] = []

  init(batch: PackedBatch) { self.batch = batch }

  /// How many rows of an injection each sequence gets.
  func length(_ rows: Node, perSequence: Bool) -> Int {
    perSequence ? rows.rows / max(1, batch.count) : rows.rows
  }
}
