/// A frozen weight of the base model.
struct WeightLeaf: Operation {
  let name = "weight"
  let weight: Weight

  func forward(_ instruction: Instruction, _ machine: Machine) {
    // Nothing writes to a leaf's value; the cast only fits the common type.
    instruction.value = machine.reading { Floats(mutating: try weight.values) }
    instruction.borrowsValue = true
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {}
}

/// A trained parameter.
struct ParameterLeaf: Operation {
  let name = "parameter"
  let parameter: TrainableParameter

  func forward(_ instruction: Instruction, _ machine: Machine) {
    instruction.value = parameter.values
    instruction.borrowsValue = true
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {
    guard let gradient = instruction.gradient else { return }
    for index in 0..<instruction.count { parameter.gradients[index] += gradient[index] }
  }
}

/// Given values.
struct ConstantLeaf: Operation {
  let name = "constant"
  let values: [Float]

  func forward(_ instruction: Instruction, _ machine: Machine) {
    machine.result(instruction).update(from: values, count: values.count)
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {}
}
