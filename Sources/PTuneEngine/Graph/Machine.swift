import CPTuneKernels

/// Carries out instructions: owns the memory of a step and splits the work over threads.
final class Machine {
  let threads: ThreadPool
  let pool = BufferPool()
  /// Whether dropout drops.
  var isTraining = false
  /// What measures operators; nil for nothing.
  var profile: Profile?

  init(threads: ThreadPool) { self.threads = threads }

  /// Computes all instructions in order.
  ///
  /// - Parameters:
  ///   - roots: their values are kept.
  ///   - forBackward: whether ``backward(_:from:)`` follows, so that what it reads is kept too.
  func forward(_ instructions: [Instruction], roots: [Instruction], forBackward: Bool) {
    for instruction in instructions {
      for (index, input) in instruction.inputs.enumerated() {
        input.pendingReaders += 1
        if forBackward, instruction.needsGradient, instruction.operation.backwardReads(index) {
          input.isKept = true
        }
      }
      if forBackward, instruction.needsGradient, instruction.operation.backwardReadsResult {
        instruction.isKept = true
      }
    }
    for root in roots { root.isKept = true }
    for instruction in instructions {
      if let profile {
        profile.measure(instruction, .forward) { instruction.operation.forward(instruction, self) }
      } else {
        instruction.operation.forward(instruction, self)
      }
      if !(forBackward && instruction.needsGradient) { releaseSaved(instruction) }
      for input in instruction.inputs {
        input.pendingReaders -= 1
        if input.pendingReaders == 0, !input.isKept { releaseValue(input) }
      }
    }
  }

  /// Differentiates `root`, a scalar, by every parameter: adds to the parameters' gradients.
  func backward(_ instructions: [Instruction], from root: Instruction) {
    root.gradient = pool.take(1)
    root.gradient?.pointee = 1
    for instruction in instructions.reversed() {
      if instruction.needsGradient, instruction.gradient != nil {
        if let profile {
          profile.measure(instruction, .backward) { instruction.operation.backward(instruction, self) }
        } else {
          instruction.operation.backward(instruction, self)
        }
      }
      releaseGradient(instruction)
      releaseSaved(instruction)
      if instruction !== root { releaseValue(instruction) }
    }
  }

  /// Takes all memory of these instructions back.
  func release(_ instructions: [Instruction]) {
    for instruction in instructions {
      releaseValue(instruction)
      releaseGradient(instruction)
      releaseSaved(instruction)
    }
  }

  // MARK: - For operators

  /// Memory for the instruction's result.
  func result(_ instruction: Instruction) -> Floats {
    let value = pool.take(instruction.count)
    instruction.value = value
    return value
  }

  /// A buffer that the forward computation leaves for the backward one.
  func save(_ count: Int, for instruction: Instruction) -> Floats {
    let buffer = pool.take(count)
    instruction.saved.append(buffer)
    return buffer
  }

  /// The gradient of an input to add to, zero at first; nil if it needs none.
  func gradient(of input: Instruction) -> Floats? {
    guard input.needsGradient else { return nil }
    if let gradient = input.gradient { return gradient }
    let gradient = pool.takeZeroed(input.count)
    input.gradient = gradient
    return gradient
  }

  /// Lets `compute` write a gradient of an input: in place if it is the first one, else beside it, to be added.
  func addGradient(to input: Instruction, _ compute: (Floats) -> Void) {
    guard input.needsGradient else { return }
    guard let gradient = input.gradient else {
      let gradient = pool.take(input.count)
      compute(gradient)
      input.gradient = gradient
      return
    }
    let part = pool.take(input.count)
    compute(part)
    threads.split(input.count, work: input.count, grain: 16) { range in
      ptk_add(range.count, part + range.lowerBound, gradient + range.lowerBound)
    }
    pool.give(part)
  }

  private func releaseValue(_ instruction: Instruction) {
    if let value = instruction.value, !instruction.borrowsValue { pool.give(value) }
    instruction.value = nil
  }

  func releaseGradient(_ instruction: Instruction) {
    if let gradient = instruction.gradient { pool.give(gradient) }
    instruction.gradient = nil
  }

  private func releaseSaved(_ instruction: Instruction) {
    for buffer in instruction.saved { pool.give(buffer) }
    instruction.saved = []
  }
}
