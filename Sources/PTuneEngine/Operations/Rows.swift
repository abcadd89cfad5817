import CPTuneKernels

/// Rows of a matrix by index.
struct GatherRows: Operation {
  let name = "gather_rows"
  let rows: [Int32]

  var restrictsRows: Bool { true }
  func restricted(to wanted: [Int32]) -> any Operation { GatherRows(rows: wanted.map { rows[Int($0)] }) }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    let y = machine.result(instruction)
    let columns = instruction.columns
    machine.threads.split(instruction.rows, work: instruction.count) { part in
      for row in part {
        (y + row * columns).update(from: x + Int(rows[row]) * columns, count: columns)
      }
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let dx = machine.gradient(of: instruction.inputs[0]) else { return }
    let columns = instruction.columns
    // Several rows may come from one, so threads share the columns.
    machine.threads.split(columns, work: instruction.count, grain: 16) { part in
      for (row, source) in rows.enumerated() {
        ptk_add(
          part.count, dy + row * columns + part.lowerBound, dx + Int(source) * columns + part.lowerBound)
      }
    }
  }
}

/// Each row from a row of one of several matrices: embedding look-up, insertion and concatenation in one.
struct AssembleRows: Operation {
  let name = "assemble_rows"
  let sourceOf: [Int32]
  let rowOf: [Int32]

  var restrictsRows: Bool { true }
  func restricted(to wanted: [Int32]) -> any Operation {
    AssembleRows(sourceOf: wanted.map { sourceOf[Int($0)] }, rowOf: wanted.map { rowOf[Int($0)] })
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let y = machine.result(instruction)
    let columns = instruction.columns
    let sources = instruction.inputs.map(\.value)
    machine.threads.split(instruction.rows, work: instruction.count) { part in
      for row in part {
        guard let x = sources[Int(sourceOf[row])] else { return }
        (y + row * columns).update(from: x + Int(rowOf[row]) * columns, count: columns)
      }
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient else { return }
    let gradients = instruction.inputs.map { machine.gradient(of: $0) }
    let columns = instruction.columns
    machine.threads.split(columns, work: instruction.count, grain: 16) { part in
      for row in 0..<instruction.rows {
        guard let dx = gradients[Int(sourceOf[row])] else { continue }
        ptk_add(
          part.count, dy + row * columns + part.lowerBound, dx + Int(rowOf[row]) * columns + part.lowerBound)
      }
    }
  }
}

/// Means of groups of rows.
struct MeanRows: Operation {
  let name = "mean_rows"
  let rows: [Int32]
  let offsets: [Int32]

  var restrictsRows: Bool { true }
  func restricted(to wanted: [Int32]) -> any Operation {
    var kept: [Int32] = []
    var offsets: [Int32] = [0]
    for group in wanted.map(Int.init) {
      kept += rows[Int(self.offsets[group])..<Int(self.offsets[group + 1])]
      offsets.append(Int32(kept.count))
    }
    return MeanRows(rows: kept, offsets: offsets)
  }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    let y = machine.result(instruction)
    y.update(repeating: 0, count: instruction.count)
    eachRow(instruction) { group, row, share in
      ptk_add_scaled(instruction.columns, share, x + row, y + group)
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let dx = machine.gradient(of: instruction.inputs[0]) else { return }
    eachRow(instruction) { group, row, share in
      ptk_add_scaled(instruction.columns, share, dy + group, dx + row)
    }
  }

  /// Visits each row of each group: where both begin, and the row's share of the mean.
  private func eachRow(
    _ instruction: Instruction, _ visit: (_ group: Int, _ row: Int, _ share: Float) -> Void
  ) {
    let columns = instruction.columns
    for group in 0..<instruction.rows {
      let members = rows[Int(offsets[group])..<Int(offsets[group + 1])]
      for row in members { visit(group * columns, Int(row) * columns, 1 / Float(members.count)) }
    }
  }
}
