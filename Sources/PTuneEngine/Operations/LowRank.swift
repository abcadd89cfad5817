import CPTuneKernels

/// y = x·Wᵀ + bias + Σ s·t·Bᵀ with a frozen W, and t = x·Aᵀ computed before (Hu et al. 2021, section 4.1).
///
/// Inputs: x `[rows, inputs]`; then of each delta t `[rows, r]` and B `[all outputs, r]`.
struct LowRankLinearOperation: Operation {
  let name = "low_rank_linear"
  let linear: FrozenLinearOperation
  /// s of each delta.
  let scales: [Float]
  /// Where the outputs of this product begin among those of B.
  let firstOutput: Int

  /// B is read whole.
  func rowFlow(_ index: Int, _ node: Node) -> RowFlow { index > 0 && index % 2 == 0 ? .all : .same }
  var restrictsRows: Bool { true }
  func backwardReads(_ index: Int) -> Bool { index > 0 || linear.backwardReads(index) }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    linear.forward(instruction, machine)
    guard let y = instruction.value else { return }
    let n = instruction.columns
    for (index, scale) in scales.enumerated() {
      let (inner, outer) = (instruction.inputs[1 + 2 * index], instruction.inputs[2 + 2 * index])
      guard let t = inner.value, let b = outer.value else { continue }
      let r = inner.columns
      machine.threads.split(instruction.rows, work: instruction.count * r, grain: 8) { rows in
        ptk_gemm(
          false, true, rows.count, n, r, scale, t + rows.lowerBound * r, r, b + firstOutput * r, r, 1,
          y + rows.lowerBound * n, n)
      }
    }
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    linear.backward(instruction, machine)
    guard let dy = instruction.gradient else { return }
    let (m, n) = (instruction.rows, instruction.columns)
    for (index, scale) in scales.enumerated() {
      let (inner, outer) = (instruction.inputs[1 + 2 * index], instruction.inputs[2 + 2 * index])
      guard let t = inner.value, let b = outer.value else { continue }
      let r = inner.columns
      machine.addGradient(to: inner) { dt in
        machine.threads.split(m, work: m * n * r, grain: 8) { rows in
          ptk_gemm(
            false, false, rows.count, r, n, scale, dy + rows.lowerBound * n, n, b + firstOutput * r, r, 0,
            dt + rows.lowerBound * r, r)
        }
      }
      // Other products may have the rest of B.
      guard let db = machine.gradient(of: outer) else { continue }
      machine.threads.split(n, work: m * n * r, grain: 8) { rows in
        ptk_gemm(
          true, false, rows.count, r, m, scale, dy + rows.lowerBound, n, t, r, 1,
          db + (firstOutput + rows.lowerBound) * r, r)
      }
    }
  }
}
