typealias Floats = UnsafeMutablePointer<Float>

/// One planned computation: a node, perhaps for some of its rows only, with the memory it uses.
final class Instruction {
  let operation: any Operation
  let inputs: [Instruction]
  let rows: Int
  let columns: Int
  let needsGradient: Bool

  /// The result, `[rows, columns]`, once computed.
  var value: Floats?
  /// Values that a leaf borrows are not the pool's to reuse.
  var borrowsValue = false
  /// The gradient of the loss by the result, once something was added to it.
  var gradient: Floats?
  /// What the forward computation leaves for the backward one.
  var saved: [Floats] = []
  /// Instructions that have yet to read the value in the forward pass.
  var pendingReaders = 0
  /// Whether the value must survive the forward pass.
  var isKept = false
  /// The part of the plan that is computed again for the backward pass, if it is in one.
  var part: Int?

  var count: Int { rows * columns }

  init(_ operation: any Operation, _ inputs: [Instruction], rows: Int, columns: Int, needsGradient: Bool) {
    self.operation = operation
    self.inputs = inputs
    self.rows = rows
    self.columns = columns
    self.needsGradient = needsGradient
  }
}
