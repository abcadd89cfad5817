import CPTune
import CPTuneKernels
import PTune

/// y = f(x), element by element.
struct UnaryOperation: Operation {
  let function: ptk_unary
  let name: String

  /// The operator of a `ptune_unary` value; nil for one that does not exist.
  init?(_ code: ptune_unary) {
    let names = ["relu", "gelu", "gelu_tanh", "tanh", "sigmoid", "silu", "exp", "log", "sqrt"]
    guard code >= 1, code <= names.count else { return nil }
    function = ptk_unary(UInt32(code))
    name = names[Int(code) - 1]
  }

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }
  func backwardReads(_ index: Int) -> Bool { !backwardReadsResult && !savesDerivative }
  /// Whether the derivative is made along with the result, which costs less than from the input afterwards.
  var savesDerivative: Bool { [PTK_GELU, PTK_GELU_TANH, PTK_SILU].contains(function) }
  /// These derivatives are simplest in terms of the result, the others in terms of the input.
  var backwardReadsResult: Bool { [PTK_TANH, PTK_SIGMOID, PTK_EXP, PTK_SQRT].contains(function) }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    let y = machine.result(instruction)
    let slope =
      savesDerivative && instruction.needsGradient && machine.isForBackward
      ? machine.save(instruction.count, for: instruction) : nil
    machine.threads.split(instruction.count, work: instruction.count * 8, grain: 16) { range in
      let from = range.lowerBound
      if let slope {
        ptk_unary_forward_with_derivative(function, range.count, x + from, y + from, slope + from)
      } else {
        ptk_unary_forward(function, range.count, x + from, y + from)
      }
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    if savesDerivative {
      guard let dy = instruction.gradient else { return }
      return machine.addProduct(dy, instruction.saved[0], to: instruction.inputs[0])
    }
    // The kernel takes both x and y and reads the one that was kept.
    guard let dy = instruction.gradient,
      let kept = backwardReadsResult ? instruction.value : instruction.inputs[0].value,
      let (dx, adding) = machine.target(of: instruction.inputs[0])
    else { return }
    machine.threads.split(instruction.count, work: instruction.count * 8, grain: 16) { range in
      let from = range.lowerBound
      ptk_unary_backward(function, range.count, kept + from, kept + from, dy + from, adding, dx + from)
    }
  }
}

/// z = f(x)·y, as in gated feed-forward layers (Shazeer 2020, "GLU variants improve transformer"): f(x) is not kept.
struct GatedOperation: Operation {
  let function: UnaryOperation

  var name: String { "\(function.name)_gate" }

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }
  func backwardReads(_ index: Int) -> Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value, let y = instruction.inputs[1].value else { return }
    let z = machine.result(instruction)
    machine.threads.split(instruction.count, work: instruction.count * 8, grain: 16) { range in
      let from = range.lowerBound
      ptk_gated_forward(function.function, range.count, x + from, y + from, z + from)
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dz = instruction.gradient, let x = instruction.inputs[0].value,
      let y = instruction.inputs[1].value
    else { return }
    func add(_ dx: (gradient: Floats, adding: Bool)?, _ dy: (gradient: Floats, adding: Bool)?) {
      machine.threads.split(instruction.count, work: instruction.count * 8, grain: 16) { range in
        let from = range.lowerBound
        ptk_gated_backward(
          function.function, range.count, x + from, y + from, dz + from, dx?.adding ?? false,
          dx.map { $0.gradient + from }, dy?.adding ?? false, dy.map { $0.gradient + from })
      }
    }
    let dx = machine.target(of: instruction.inputs[0])
    // A matrix that gates itself gets both parts, one after the other: the kernel writes to two places.
    if instruction.inputs[0] === instruction.inputs[1] {
      add(dx, nil)
      add(nil, machine.target(of: instruction.inputs[1]))
    } else {
      add(dx, machine.target(of: instruction.inputs[1]))
    }
  }
}

/// y = a op b, with b repeated over rows or columns where it has one.
struct BinaryOperation: Operation {
  enum Function: Int32 {
    case add = 1
    case subtract, multiply, divide

    fileprivate var kernel: ptk_binary { ptk_binary(UInt32(rawValue)) }
  }
  let function: Function

  var name: String { "\(function)" }

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow {
    node.inputs[index].rows == node.rows && node.rows > 1 ? .same : .all
  }
  var restrictsRows: Bool { true }
  func backwardReads(_ index: Int) -> Bool {
    switch function {
    case .add, .subtract: false
    case .multiply, .divide: true
    }
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let (a, b) = (instruction.inputs[0], instruction.inputs[1])
    guard let left = a.value, let right = b.value else { return }
    let y = machine.result(instruction)
    let columns = instruction.columns
    if b.rows == instruction.rows, b.columns == columns {
      machine.threads.split(instruction.count, work: instruction.count, grain: 16) { range in
        let from = range.lowerBound
        ptk_combine(function.kernel, range.count, left + from, right + from, y + from)
      }
      return
    }
    let strides = Self.strides(of: b, in: instruction)
    machine.threads.split(instruction.rows, work: instruction.count) { rows in
      for row in rows {
        let (l, r, out) = (left + row * columns, right + row * strides.row, y + row * columns)
        if strides.column == 1 {
          ptk_combine(function.kernel, columns, l, r, out)
        } else {
          apply(columns, l, r.pointee, out)
        }
      }
    }
  }

  /// How far b moves with each row and each column of the result.
  private static func strides(of b: Instruction, in result: Instruction) -> (row: Int, column: Int) {
    (b.rows == 1 && result.rows != 1 ? 0 : b.columns, b.columns == 1 && result.columns != 1 ? 0 : 1)
  }

  private func apply(_ count: Int, _ l: Floats, _ r: Float, _ out: Floats) {
    switch function {
    case .add: for i in 0..<count { out[i] = l[i] + r }
    case .subtract: for i in 0..<count { out[i] = l[i] - r }
    case .multiply: for i in 0..<count { out[i] = l[i] * r }
    case .divide: for i in 0..<count { out[i] = l[i] / r }
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient else { return }
    let (a, b) = (instruction.inputs[0], instruction.inputs[1])
    let isSameShape = b.rows == instruction.rows && b.columns == instruction.columns
    switch function {
    case .add:
      machine.passGradient(of: instruction, to: a)
      if isSameShape { return machine.passGradient(of: instruction, to: b) }
      reduce(into: b, instruction, machine) { dy[$0] }
    case .subtract:
      machine.passGradient(of: instruction, to: a)
      reduce(into: b, instruction, machine) { -dy[$0] }
    case .multiply:
      guard let left = a.value, let right = b.value else { return }
      if isSameShape {
        machine.addProduct(dy, right, to: a)
        return machine.addProduct(dy, left, to: b)
      }
      let strides = Self.strides(of: b, in: instruction)
      scale(into: a, instruction, machine) { dy[$0] * right[$1 * strides.row + $2 * strides.column] }
      reduce(into: b, instruction, machine) { dy[$0] * left[$0] }
    case .divide:
      guard let left = a.value, let right = b.value else { return }
      let strides = Self.strides(of: b, in: instruction)
      let columns = instruction.columns
      scale(into: a, instruction, machine) { dy[$0] / right[$1 * strides.row + $2 * strides.column] }
      reduce(into: b, instruction, machine) { index in
        let r = right[index / columns * strides.row + index % columns * strides.column]
        return -dy[index] * left[index] / (r * r)
      }
    }
  }

  private func scale(
    into input: Instruction, _ instruction: Instruction, _ machine: Machine,
    _ term: (_ index: Int, _ row: Int, _ column: Int) -> Float
  ) {
    guard let dx = machine.gradient(of: input) else { return }
    let columns = instruction.columns
    for row in 0..<instruction.rows {
      for column in 0..<columns { dx[row * columns + column] += term(row * columns + column, row, column) }
    }
  }

  /// Adds the terms of all elements to b, summed over what b was repeated along.
  private func reduce(
    into b: Instruction, _ instruction: Instruction, _ machine: Machine, _ term: (Int) -> Float
  ) {
    guard let db = machine.gradient(of: b) else { return }
    let columns = instruction.columns
    let strides = Self.strides(of: b, in: instruction)
    for row in 0..<instruction.rows {
      for column in 0..<columns {
        db[row * strides.row + column * strides.column] += term(row * columns + column)
      }
    }
  }
}

/// y = x·scale + shift
struct AffineOperation: Operation {
  let name = "affine"
  let scale, shift: Float

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    let y = machine.result(instruction)
    for index in 0..<instruction.count { y[index] = x[index] * scale + shift }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let dx = machine.gradient(of: instruction.inputs[0]) else { return }
    ptk_add_scaled(instruction.count, scale, dy, dx)
  }
}

/// Zeroes elements at random and scales the rest; the same elements in both directions (Srivastava 2014).
struct DropoutOperation: Operation {
  let name = "dropout"
  let probability: Float
  /// Decides, with an element's index, whether it is dropped.
  let seed: UInt64

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }

  private func factor(_ index: Int) -> Float {
    var generator = SplitMix64(seed: seed &+ UInt64(index))
    return Float(generator.unit()) < probability ? 0 : 1 / (1 - probability)
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    let y = machine.result(instruction)
    guard machine.isTraining, machine.appliesDropout else {
      y.update(from: x, count: instruction.count)
      return
    }
    for index in 0..<instruction.count { y[index] = x[index] * factor(index) }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let dx = machine.gradient(of: instruction.inputs[0]) else { return }
    guard machine.isTraining, machine.appliesDropout else {
      ptk_add(instruction.count, dy, dx)
      return
    }
    for index in 0..<instruction.count { dx[index] += dy[index] * factor(index) }
  }
}

/// x, through which no gradient flows back.
struct StopGradientOperation: Operation {
  let name = "stop_gradient"

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    machine.result(instruction).update(from: x, count: instruction.count)
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {}
}
