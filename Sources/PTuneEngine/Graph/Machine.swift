import CPTuneKernels

/// Carries out instructions: owns the memory of a step and splits the work over threads.
final class Machine {
  let threads: ThreadPool
  let pool = BufferPool()
  /// Of products with frozen weights.
  var precision = ComputePrecision.f32
  /// Whether dropout drops.
  var isTraining = false
  /// Whether dropout drops anything in training.
  var appliesDropout = true
  /// Whether a backward computation follows the forward one.
  private(set) var isForBackward = false
  /// Values of a block of logits: a vocabulary is large, and so would the logits of all rows be.
  var blockSize = 1 << 24
  /// What measures operators; nil for nothing.
  var profile: Profile?
  /// The first weight that could not be read; results after that mean nothing.
  private var lost: LostWeight?

  init(threads: ThreadPool) { self.threads = threads }

  /// Computes all instructions in order.
  ///
  /// - Parameters:
  ///   - roots: their values are kept.
  ///   - forBackward: whether ``backward(_:from:_:)`` follows, so that what it reads is kept too.
  func forward(_ instructions: [Instruction], roots: [Instruction], forBackward: Bool) {
    let floatControl = ptk_flush_subnormals()
    defer { ptk_restore_float_control(floatControl) }
    isForBackward = forBackward
    for instruction in instructions {
      for (index, input) in instruction.inputs.enumerated() {
        input.pendingReaders += 1
        guard forBackward, instruction.needsGradient else { continue }
        // What is computed again needs all that comes from elsewhere.
        let isRead =
          instruction.part == nil
          ? instruction.operation.backwardReads(index) : input.part != instruction.part
        if isRead { input.isKept = true }
      }
      if forBackward, instruction.needsGradient, instruction.part == nil,
        instruction.operation.backwardReadsResult
      {
        instruction.isKept = true
      }
    }
    for root in roots { root.isKept = true }
    for instruction in instructions {
      compute(instruction)
      if hasFailed { return }
      let isLeftForBackward =
        forBackward && instruction.needsGradient && (instruction.part == nil || instruction.isKept)
      if !isLeftForBackward { releaseSaved(instruction) }
      for input in instruction.inputs {
        input.pendingReaders -= 1
        if input.pendingReaders == 0, !input.isKept { releaseValue(input) }
      }
    }
  }

  /// Computes an instruction's result.
  func compute(_ instruction: Instruction) {
    if let profile {
      profile.measure(instruction, .forward) { instruction.operation.forward(instruction, self) }
    } else {
      instruction.operation.forward(instruction, self)
    }
  }

  /// Differentiates `root`, a scalar, by every parameter: adds to the parameters' gradients.
  ///
  /// - Parameter recomputation: what was not kept.
  func backward(
    _ instructions: [Instruction], from root: Instruction, _ recomputation: Recomputation? = nil
  ) {
    let floatControl = ptk_flush_subnormals()
    defer { ptk_restore_float_control(floatControl) }
    var restored: Int?
    root.gradient = pool.take(1)
    root.gradient?.pointee = 1
    for instruction in instructions.reversed() {
      if let part = instruction.part, part != restored {
        recomputation?.restore(part, self)
        restored = part
      }
      if hasFailed { return }
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

  /// Whether a weight could not be read.
  var hasFailed: Bool { lost != nil }

  /// Ends a computation.
  ///
  /// - Throws: ``LostWeight`` if it could not be done.
  func finish() throws(LostWeight) {
    defer { lost = nil }
    if let lost { throw lost }
  }

  // MARK: - For operators

  /// What a weight is read for; nil, with ``finish()`` to tell, if it cannot be read.
  func reading<Result>(_ read: () throws -> Result) -> Result? {
    do {
      return try read()
    } catch {
      if lost == nil { lost = error as? LostWeight ?? LostWeight(name: "?", reason: "\(error)") }
      return nil
    }
  }

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

  /// Memory for the gradient of an input, and whether it holds a part of it already, to be added to; if not, all of
  /// it is to be written. Nil if the input needs no gradient.
  func target(of input: Instruction) -> (gradient: Floats, adding: Bool)? {
    guard input.needsGradient else { return nil }
    guard let known = input.gradient else {
      let gradient = pool.take(input.count)
      input.gradient = gradient
      return (gradient, false)
    }
    guard pool.isShared(known) else { return (known, true) }
    let own = pool.take(input.count)
    threads.split(input.count, work: input.count, grain: 16) { range in
      (own + range.lowerBound).update(from: known + range.lowerBound, count: range.count)
    }
    pool.give(known)
    input.gradient = own
    return (own, true)
  }

  /// The gradient of an input to add to, zero at first; nil if it needs none.
  func gradient(of input: Instruction) -> Floats? {
    guard let (gradient, adding) = target(of: input) else { return nil }
    if !adding {
      threads.split(input.count, work: input.count, grain: 16) { range in
        (gradient + range.lowerBound).update(repeating: 0, count: range.count)
      }
    }
    return gradient
  }

  /// Lets `compute` write a gradient of an input: in place if it is the first one, else beside it, to be added.
  func addGradient(to input: Instruction, _ compute: (Floats) -> Void) {
    guard let (gradient, adding) = target(of: input) else { return }
    if !adding { return compute(gradient) }
    let part = pool.take(input.count)
    compute(part)
    add(part, to: gradient, input.count)
    pool.give(part)
  }

  /// Adds the gradient of a result to that of an input of the same shape. What comes first is shared, not copied.
  func passGradient(of instruction: Instruction, to input: Instruction) {
    guard input.needsGradient, let gradient = instruction.gradient else { return }
    if input.gradient == nil {
      pool.share(gradient)
      input.gradient = gradient
    } else if let (sum, _) = target(of: input) {
      add(gradient, to: sum, input.count)
    }
  }

  /// Adds dy·factor, number by number, to the gradient of an input of the same shape.
  func addProduct(_ dy: Floats, _ factor: Floats, to input: Instruction) {
    guard let (dx, adding) = target(of: input) else { return }
    threads.split(input.count, work: input.count, grain: 16) { range in
      let from = range.lowerBound
      ptk_multiply(range.count, dy + from, factor + from, adding, dx + from)
    }
  }

  private func add(_ part: Floats, to sum: Floats, _ count: Int) {
    threads.split(count, work: count, grain: 16) { range in
      ptk_add(range.count, part + range.lowerBound, sum + range.lowerBound)
    }
  }

  func releaseValue(_ instruction: Instruction) {
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
