/// Computes parts of a plan a second time, so that what they leave for the backward pass need not be kept from the first.
///
/// Between one layer's input and the next one's, values are let go as in an evaluation, but for what other parts read.
/// When the backward pass comes to a part, it is computed again from these, with the same operators on the same numbers:
/// results are the same bits (Chen et al. 2016, "Training deep nets with sublinear memory cost").
struct Recomputation {
  private var parts: [[Instruction]] = []

  /// Makes a part of what stands between each of the marks and the next; the last layer's values are needed at once.
  init(_ order: [Instruction], between marks: [Instruction]) {
    let places = marks.compactMap { mark in order.firstIndex { $0 === mark } }.sorted()
    for (begin, end) in zip(places, places.dropFirst()) where begin < end {
      let part = order[begin + 1...end].filter(\.needsGradient)
      for instruction in part { instruction.part = parts.count }
      parts.append(part)
    }
  }

  /// Computes the part of an instruction again, unless that was done.
  func restore(_ part: Int, _ machine: Machine) {
    let members = parts[part]
    for member in members {
      member.pendingReaders = 0
      for (index, input) in member.inputs.enumerated()
      where input.part == part && member.operation.backwardReads(index) {
        input.isKept = true
      }
      if member.operation.backwardReadsResult { member.isKept = true }
    }
    let missing = members.filter { $0.value == nil }
    for member in missing {
      for input in member.inputs where input.part == part { input.pendingReaders += 1 }
    }
    for member in missing {
      machine.compute(member)
      if machine.hasFailed { return }
      if member.pendingReaders == 0, !member.isKept { machine.releaseValue(member) }
      for input in member.inputs where input.part == part {
        input.pendingReaders -= 1
        if input.pendingReaders == 0, !input.isKept { machine.releaseValue(input) }
      }
    }
  }
}
