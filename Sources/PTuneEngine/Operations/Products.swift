import CPTuneKernels

/// y = op(a)·op(b).
struct MatMulOperation: Operation {
  let name = "matmul"
  let transposeA, transposeB: Bool

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { index == 0 && !transposeA ? .same : .all }
  var restrictsRows: Bool { !transposeA }
  func backwardReads(_ index: Int) -> Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let (a, b) = (instruction.inputs[0], instruction.inputs[1])
    guard let left = a.value, let right = b.value else { return }
    let y = machine.result(instruction)
    let (n, k) = (instruction.columns, transposeA ? a.rows : a.columns)
    machine.threads.split(instruction.rows, work: instruction.count * k, grain: 8) { rows in
      // Rows of op(a) are columns of a where it is transposed.
      let part = left + rows.lowerBound * (transposeA ? 1 : a.columns)
      ptk_gemm(
        transposeA, transposeB, rows.count, n, k, 1, part, a.columns, right, b.columns, 0,
        y + rows.lowerBound * n, n)
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    let (a, b) = (instruction.inputs[0], instruction.inputs[1])
    guard let dy = instruction.gradient, let left = a.value, let right = b.value else { return }
    let (m, n, k) = (instruction.rows, instruction.columns, transposeA ? a.rows : a.columns)
    machine.addGradient(to: a) { da in
      if transposeA {
        ptk_gemm(transposeB, true, k, m, n, 1, right, b.columns, dy, n, 0, da, m)
      } else {
        ptk_gemm(false, !transposeB, m, k, n, 1, dy, n, right, b.columns, 0, da, k)
      }
    }
    machine.addGradient(to: b) { db in
      if transposeB {
        ptk_gemm(true, transposeA, n, k, m, 1, dy, n, left, a.columns, 0, db, k)
      } else {
        ptk_gemm(!transposeA, false, k, n, m, 1, left, a.columns, dy, n, 0, db, n)
      }
    }
  }
}

/// y = x·Wᵀ + bias with trained W and bias.
struct LinearOperation: Operation {
  let name = "linear"

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { index == 0 ? .same : .all }
  var restrictsRows: Bool { true }
  func backwardReads(_ index: Int) -> Bool { index < 2 }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let (x, weight) = (instruction.inputs[0], instruction.inputs[1])
    guard let input = x.value, let matrix = weight.value else { return }
    let bias = instruction.inputs.count > 2 ? instruction.inputs[2].value : nil
    let y = machine.result(instruction)
    let (n, k) = (instruction.columns, x.columns)
    machine.threads.split(instruction.rows, work: instruction.count * k, grain: 8) { rows in
      let out = y + rows.lowerBound * n
      ptk_gemm(false, true, rows.count, n, k, 1, input + rows.lowerBound * k, k, matrix, k, 0, out, n)
      if let bias { ptk_add_bias(rows.count, n, bias, out, n) }
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    let (x, weight) = (instruction.inputs[0], instruction.inputs[1])
    guard let dy = instruction.gradient, let input = x.value, let matrix = weight.value else { return }
    let (m, n, k) = (instruction.rows, instruction.columns, x.columns)
    machine.addGradient(to: x) { dx in
      machine.threads.split(m, work: m * n * k, grain: 8) { rows in
        ptk_gemm(
          false, false, rows.count, k, n, 1, dy + rows.lowerBound * n, n, matrix, k, 0,
          dx + rows.lowerBound * k, k)
      }
    }
    machine.addGradient(to: weight) { dw in
      machine.threads.split(n, work: m * n * k, grain: 8) { rows in
        ptk_gemm(
          true, false, rows.count, k, m, 1, dy + rows.lowerBound, n, input, k, 0, dw + rows.lowerBound * k, k)
      }
    }
    if instruction.inputs.count > 2, let db = machine.gradient(of: instruction.inputs[2]) {
      ptk_sum_rows(m, n, dy, n, db)
    }
  }
}

/// y = x·Wᵀ + bias with a frozen W, packed once; its weights have no gradient.
struct FrozenLinearOperation: Operation {
  let name = "frozen_linear"
  let weight: Weight
  let bias: Weight?

  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { .same }
  var restrictsRows: Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    guard let input = instruction.inputs[0].value else { return }
    multiply(instruction.rows, input, into: machine.result(instruction), machine)
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let dy = instruction.gradient, let (dx, adding) = machine.target(of: instruction.inputs[0]) else {
      return
    }
    differentiate(instruction.rows, dy, adding: adding, into: dx, machine)
  }

  /// y `[rows, outputs]` = x·Wᵀ + bias.
  func multiply(_ rows: Int, _ x: Floats, into y: Floats, _ machine: Machine) {
    let (n, k) = (weight.rows, weight.columns)
    guard
      let (packed, bias) = machine.reading({ (try weight.packedSlices(machine.precision), try bias?.values) })
    else { return }
    let slices = Array(zip(weight.slicePlaces, packed))
    func multiply(_ rows: Range<Int>, _ slices: ArraySlice<(Int, OpaquePointer?)>) {
      for (first, packed) in slices {
        ptk_gemm_packed(
          packed, rows.count, x + rows.lowerBound * k, k, bias.map { $0 + first },
          y + rows.lowerBound * n + first, n)
      }
    }
    if slices.count == 1 {
      machine.threads.split(rows, work: rows * n * k, grain: 8, piece: 48) { multiply($0, slices[...]) }
    } else {
      // Threads share the slices out, so that each comes from memory once.
      machine.threads.split(slices.count, work: rows * n * k) { multiply(0..<rows, slices[$0]) }
    }
  }

  /// dx = dy·W, or added to it, of gradients `[rows, outputs]`.
  func differentiate(_ rows: Int, _ dy: Floats, adding: Bool, into dx: Floats, _ machine: Machine) {
    let (n, k) = (weight.rows, weight.columns)
    guard let packed = machine.reading({ try weight.packedSlicesTransposed(machine.precision) }) else {
      return
    }
    for (first, packed) in zip(weight.slicePlaces, packed) {
      // Turned rows go by whole vectors.
      let (grain, piece) = packed.isTransposed ? (16, 96) : (8, 48)
      machine.threads.split(rows, work: rows * n * k, grain: grain, piece: piece) { part in
        packed.multiply(
          part.count, dy + part.lowerBound * n + first, n, adding: adding || first > 0,
          dx + part.lowerBound * k, k)
      }
    }
  }
}
