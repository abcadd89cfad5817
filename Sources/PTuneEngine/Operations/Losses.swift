import CPTuneKernels
import PTuneLibc

/// Mean cross-entropy over the rows with a target, as torch.nn.CrossEntropyLoss computes it.
struct CrossEntropyOperation: Operation {
  let name = "cross_entropy"
  let targets: [Int32]
  let classWeights: [Float]?
  let smoothing: Float

  func backwardReads(_ index: Int) -> Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let input = instruction.inputs[0]
    guard let logits = input.value else { return }
    let logSums = machine.save(input.rows, for: instruction)
    let weightSum = machine.save(1, for: instruction)
    var total = 0.0
    let sum = ptk_cross_entropy_forward(
      input.rows, input.columns, logits, targets, classWeights, smoothing, logSums, &total)
    weightSum.pointee = Float(total)
    // Without a single target the loss is 0, and so is its gradient.
    machine.result(instruction).pointee = total == 0 ? 0 : Float(sum / total)
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    let input = instruction.inputs[0]
    guard let dy = instruction.gradient, let logits = input.value, let dx = machine.gradient(of: input) else {
      return
    }
    let weightSum = instruction.saved[1].pointee
    guard weightSum != 0 else { return }
    ptk_cross_entropy_backward(
      input.rows, input.columns, logits, targets, classWeights, smoothing, instruction.saved[0],
      dy.pointee / weightSum, dx)
  }
}

/// Mean binary cross-entropy of sigmoid(x) against targets in [0, 1].
struct SigmoidCrossEntropyOperation: Operation {
  let name = "sigmoid_cross_entropy"
  let targets: [Float]

  func backwardReads(_ index: Int) -> Bool { true }

  func forward(_ instruction: Instruction, _ machine: Machine) {
    let input = instruction.inputs[0]
    guard let x = input.value else { return }
    var sum = 0.0
    for (index, target) in targets.enumerated() {
      // max(x, 0) - x·t + ln(1 + e^-|x|) does not overflow.
      let value = Double(x[index])
      sum += max(value, 0) - value * Double(target) + log1p(exp(-abs(value)))
    }
    machine.result(instruction).pointee = Float(sum / Double(targets.count))
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    let input = instruction.inputs[0]
    guard let dy = instruction.gradient, let x = input.value, let dx = machine.gradient(of: input) else {
      return
    }
    let factor = dy.pointee / Float(targets.count)
    for (index, target) in targets.enumerated() {
      dx[index] += factor * (1 / (1 + exp(-x[index])) - target)
    }
  }
}
