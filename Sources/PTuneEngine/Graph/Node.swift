/// One recorded operator application: what is to be computed, not yet a value. `[rows, columns]`.
final class Node {
  let operation: any Operation
  let inputs: [Node]
  let rows: Int
  let columns: Int
  /// Whether a trained parameter lies below, so that a gradient flows through.
  let needsGradient: Bool

  var count: Int { rows * columns }

  init(_ operation: any Operation, _ inputs: [Node], rows: Int, columns: Int, needsGradient: Bool? = nil) {
    self.operation = operation
    self.inputs = inputs
    self.rows = rows
    self.columns = columns
    self.needsGradient = needsGradient ?? inputs.contains { $0.needsGradient }
  }
}

/// How the rows of a result depend on the rows of an input.
enum RowFlow {
  /// Row r of the result needs row r of the input only.
  case same
  /// It needs all of them.
  case all
}

/// A differentiable operator. The rule for shapes is where it is recorded (`Recorder`); here are its forward and
/// backward computations, side by side.
protocol Operation {
  /// As error messages and profiles name it.
  var name: String { get }
  /// How rows of input `index` of an application with these inputs flow into the result.
  func rowFlow(_ index: Int, _ node: Node) -> RowFlow
  /// Whether the operator can compute some rows of its result only.
  var restrictsRows: Bool { get }
  /// The same operator for these rows of the result only; asked for where ``restrictsRows``.
  func restricted(to rows: [Int32]) -> any Operation
  /// Whether the backward computation reads the value of input `index`.
  func backwardReads(_ index: Int) -> Bool
  /// Whether the backward computation reads the result.
  var backwardReadsResult: Bool { get }
  /// Fills the instruction's result from its inputs' values.
  func forward(_ instruction: Instruction, _ machine: Machine)
  /// Adds to the gradients of those inputs that need one.
  func backward(_ instruction: Instruction, _ machine: Machine)
  /// Floating-point operations of the forward computation's matrix products.
  func forwardWork(_ instruction: Instruction) -> Double
  /// Those of the backward computation.
  func backwardWork(_ instruction: Instruction) -> Double
}

extension Operation {
  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .all }
  var restrictsRows: Bool { false }
  func restricted(to rows: [Int32]) -> any Operation { self }
  func backwardReads(_ index: Int) -> Bool { false }
  var backwardReadsResult: Bool { false }
}
