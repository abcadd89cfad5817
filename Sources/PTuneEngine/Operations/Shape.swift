import CPTuneKernels

/// `[rows, columns] -> [columns, rows]`
struct TransposeOperation: Operation {
  let name = "transpose"

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    let y = machine.result(instruction)
    let (rows, columns) = (instruction.rows, instruction.columns)
    for row in 0..<rows { for column in 0..<columns { y[row * columns + column] = x[column * rows + row] } }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let dx = machine.gradient(of: instruction.inputs[0]) else { return }
    let (rows, columns) = (instruction.rows, instruction.columns)
    for row in 0..<rows {
      for column in 0..<columns { dx[column * rows + row] += dy[row * columns + column] }
    }
  }
}

/// The same values in another shape.
struct ReshapeOperation: Operation {
  let name = "reshape"

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    machine.result(instruction).update(from: x, count: instruction.count)
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let dx = machine.gradient(of: instruction.inputs[0]) else { return }
    ptk_add(instruction.count, dy, dx)
  }
}

/// Columns of several matrices side by side.
struct ConcatenateColumnsOperation: Operation {
  let name = "concatenate_columns"

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let y = machine.result(instruction)
    var begin = 0
    for input in instruction.inputs {
      guard let x = input.value else { return }
      for row in 0..<instruction.rows {
        (y + row * instruction.columns + begin).update(from: x + row * input.columns, count: input.columns)
      }
      begin += input.columns
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient else { return }
    var begin = 0
    for input in instruction.inputs {
      if let dx = machine.gradient(of: input) {
        for row in 0..<instruction.rows {
          ptk_add(input.columns, dy + row * instruction.columns + begin, dx + row * input.columns)
        }
      }
      begin += input.columns
    }
  }
}

/// Some consecutive columns.
struct SliceColumnsOperation: Operation {
  let name = "slice_columns"
  let begin: Int

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let input = instruction.inputs[0]
    guard let x = input.value else { return }
    let y = machine.result(instruction)
    let columns = instruction.columns
    for row in 0..<instruction.rows {
      (y + row * columns).update(from: x + row * input.columns + begin, count: columns)
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    let input = instruction.inputs[0]
    guard let dy = instruction.gradient, let dx = machine.gradient(of: input) else { return }
    let columns = instruction.columns
    for row in 0..<instruction.rows { ptk_add(columns, dy + row * columns, dx + row * input.columns + begin) }
  }
}

/// Sums over rows, columns or everything.
struct SumOperation: Operation {
  enum Axis: Int32 {
    case rows = 1
    case columns, all
  }
  let name = "sum"
  let axis: Axis

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { axis == .columns ? .same : .all }
  var restrictsRows: Bool { axis == .columns }

  /// How far the result moves with each row and column of the input.
  private func strides(_ instruction: Instruction) -> (row: Int, column: Int) {
    switch axis {
    case .rows: (0, 1)
    case .columns: (1, 0)
    case .all: (0, 0)
    }
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let input = instruction.inputs[0]
    guard let x = input.value else { return }
    let y = machine.result(instruction)
    let strides = strides(instruction)
    // Sums of many terms lose bits in single precision.
    var sums = [Double](repeating: 0, count: instruction.count)
    for row in 0..<input.rows {
      for column in 0..<input.columns {
        sums[row * strides.row + column * strides.column] += Double(x[row * input.columns + column])
      }
    }
    for (index, sum) in sums.enumerated() { y[index] = Float(sum) }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    let input = instruction.inputs[0]
    guard let dy = instruction.gradient, let dx = machine.gradient(of: input) else { return }
    let strides = strides(instruction)
    for row in 0..<input.rows {
      for column in 0..<input.columns {
        dx[row * input.columns + column] += dy[row * strides.row + column * strides.column]
      }
    }
  }
}
