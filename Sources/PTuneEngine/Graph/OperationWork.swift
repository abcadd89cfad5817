/// Floating-point operations of matrix products, for profiles; norms and elementwise functions count none.
extension Operation {
  func forwardWork(_ instruction: Instruction) -> Double { 0 }
  func backwardWork(_ instruction: Instruction) -> Double { 0 }
}

extension MatMulOperation {
  func forwardWork(_ instruction: Instruction) -> Double {
    let a = instruction.inputs[0]
    return 2 * Double(instruction.count) * Double(transposeA ? a.rows : a.columns)
  }
  func backwardWork(_ instruction: Instruction) -> Double {
    forwardWork(instruction) * Double(instruction.inputs.count { $0.needsGradient })
  }
}

extension LinearOperation {
  func forwardWork(_ instruction: Instruction) -> Double {
    2 * Double(instruction.count) * Double(instruction.inputs[0].columns)
  }
  func backwardWork(_ instruction: Instruction) -> Double {
    forwardWork(instruction) * Double(instruction.inputs[..<2].count { $0.needsGradient })
  }
}

extension FrozenLinearOperation {
  func forwardWork(_ instruction: Instruction) -> Double {
    2 * Double(instruction.count) * Double(instruction.inputs[0].columns)
  }
  func backwardWork(_ instruction: Instruction) -> Double { forwardWork(instruction) }
}

extension VocabularyLossOperation {
  /// The gradient is made along with the loss.
  func forwardWork(_ instruction: Instruction) -> Double {
    let x = instruction.inputs[0]
    return 2 * Double(x.count) * Double(linear.weight.rows) * (instruction.needsGradient ? 2 : 1)
  }
}

extension TargetScoresOperation {
  func forwardWork(_ instruction: Instruction) -> Double {
    guard let linear else { return 0 }
    return 2 * Double(instruction.inputs[0].columns * linear.weight.rows) * Double(targets.count { $0 >= 0 })
  }
}

extension AttentionOperation {
  /// Two products, as if each row saw all keys of its segment.
  func forwardWork(_ instruction: Instruction) -> Double {
    let pairs = segments.reduce(0) { sum, segment in
      sum + segment.queries.count * segment.keys.reduce(0) { $0 + $1.rows.count }
    }
    return 4 * Double(pairs) * Double(instruction.columns)
  }
  /// The scores again, and two products for each of the two.
  func backwardWork(_ instruction: Instruction) -> Double { 2.5 * forwardWork(instruction) }
}
