import CPTuneKernels

/// Layer norm over each row (Ba et al. 2016): inputs x, gain, bias.
struct LayerNormOperation: Operation {
  let name = "layer_norm"
  let epsilon: Float

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { index == 0 ? .same : .all }
  var restrictsRows: Bool { true }
  func backwardReads(_ index: Int) -> Bool { index < 2 }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value, let gain = instruction.inputs[1].value,
      let bias = instruction.inputs[2].value
    else { return }
    let y = machine.result(instruction)
    let columns = instruction.columns
    let mean = machine.save(instruction.rows, for: instruction)
    let rstd = machine.save(instruction.rows, for: instruction)
    machine.threads.split(instruction.rows, work: instruction.count * 4) { rows in
      let from = rows.lowerBound
      ptk_layer_norm_forward(
        rows.count, columns, x + from * columns, gain, bias, epsilon, y + from * columns, mean + from,
        rstd + from)
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let x = instruction.inputs[0].value,
      let gain = instruction.inputs[1].value
    else { return }
    let columns = instruction.columns
    let (mean, rstd) = (instruction.saved[0], instruction.saved[1])
    if let (dx, adding) = machine.target(of: instruction.inputs[0]) {
      machine.threads.split(instruction.rows, work: instruction.count * 4) { rows in
        let from = rows.lowerBound
        ptk_layer_norm_backward(
          rows.count, columns, x + from * columns, gain, mean + from, rstd + from, dy + from * columns,
          adding, dx + from * columns, nil, nil)
      }
    }
    let dgain = machine.gradient(of: instruction.inputs[1])
    let dbias = machine.gradient(of: instruction.inputs[2])
    if dgain != nil || dbias != nil {
      ptk_layer_norm_backward(instruction.rows, columns, x, gain, mean, rstd, dy, false, nil, dgain, dbias)
    }
  }
}

/// RMS norm over each row (Zhang & Sennrich 2019): inputs x, gain.
struct RMSNormOperation: Operation {
  let name = "rms_norm"
  let epsilon: Float

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { index == 0 ? .same : .all }
  var restrictsRows: Bool { true }
  func backwardReads(_ index: Int) -> Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value, let gain = instruction.inputs[1].value else { return }
    let y = machine.result(instruction)
    let columns = instruction.columns
    let rstd = machine.save(instruction.rows, for: instruction)
    machine.threads.split(instruction.rows, work: instruction.count * 4) { rows in
      let from = rows.lowerBound
      ptk_rms_norm_forward(
        rows.count, columns, x + from * columns, gain, epsilon, y + from * columns, rstd + from)
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let x = instruction.inputs[0].value,
      let gain = instruction.inputs[1].value
    else { return }
    let columns = instruction.columns
    let rstd = instruction.saved[0]
    if let (dx, adding) = machine.target(of: instruction.inputs[0]) {
      machine.threads.split(instruction.rows, work: instruction.count * 4) { rows in
        let from = rows.lowerBound
        ptk_rms_norm_backward(
          rows.count, columns, x + from * columns, gain, rstd + from, dy + from * columns,
          adding, dx + from * columns, nil)
      }
    }
    if let dgain = machine.gradient(of: instruction.inputs[1]) {
      ptk_rms_norm_backward(instruction.rows, columns, x, gain, rstd, dy, false, nil, dgain)
    }
  }
}

/// Softmax, or its logarithm, over each row.
struct SoftmaxOperation: Operation {
  let logarithm: Bool
  var name: String { logarithm ? "log_softmax" : "softmax" }

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }
  var backwardReadsResult: Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let x = instruction.inputs[0].value else { return }
    let y = machine.result(instruction)
    let columns = instruction.columns
    machine.threads.split(instruction.rows, work: instruction.count * 8) { rows in
      let from = rows.lowerBound * columns
      ptk_softmax_forward(rows.count, columns, logarithm, x + from, y + from)
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let y = instruction.value,
      let dx = machine.gradient(of: instruction.inputs[0])
    else { return }
    ptk_softmax_backward(instruction.rows, instruction.columns, logarithm, y, dy, dx)
  }
}
