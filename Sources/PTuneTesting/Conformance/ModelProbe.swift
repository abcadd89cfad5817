import PTune
import PTuneEngine
import PTuneTerminal

/// What checks of all kinds ask of a model that holds the component.
struct ModelProbe {
  /// Makes a model with the component in it, the same each time.
  let make: () throws -> Model
  /// A batch for it; `training` says whether dropout drops.
  let batch: (_ model: Model, _ training: Bool) throws -> PackedBatch
  /// What else of the component its checks of memory exercise: saving, predictions.
  var more: (_ model: Model) throws -> Void = { _ in }
  /// Whose parameters are the component's: "adapter", "selector", "head.test".
  let owner: String

  /// The component's parameters.
  func parameters(_ model: Model) -> [TrainableParameter] {
    model.parameters.filter { $0.owner == owner }
  }

  // MARK: - Checks

  var declared: ConformanceCheck {
    ConformanceCheck("its parameters have unique names and finite initial values") {
      let parameters = parameters(try make())
      if let name = Dictionary(grouping: parameters, by: \.name).first(where: { $1.count > 1 })?.key {
        return .failed("'\(name)' is declared twice")
      }
      if let bad = parameters.first(where: { !$0.array.allSatisfy(\.isFinite) }) {
        return .failed("'\(bad.name)' starts with values that are not finite")
      }
      let list = parameters.map { "\($0.name) [\($0.shape.map(String.init).joined(separator: ", "))]" }
      return .passed(list.isEmpty ? "none" : list.joined(separator: ", "))
    }
  }

  var gradients: ConformanceCheck {
    ConformanceCheck("its gradients match its loss, by finite differences") {
      let model = try make()
      guard try lossDrift(model) == 0 else {
        return .skipped("the loss changes from call to call, so there is nothing to compare gradients with")
      }
      // A factor that starts at zero, as one of LoRA's does, hides the gradient of the other.
      for parameter in parameters(model) { parameter.disturb() }
      var check = GradientCheck()
      check.directions = 5
      let report = try check.run(model, on: try batch(model, true))
      let own = report.entries.filter { $0.owner == owner }
      guard let worst = own.max(by: { $0.typicalDifference < $1.typicalDifference }) else {
        return .skipped("it has no parameters")
      }
      if let wrong = own.first(where: { !($0.typicalDifference <= report.tolerance) }) {
        return .failed(
          "'\(wrong.name)': the difference is \(NumberText.significant(wrong.typicalDifference)) of the gradient's norm, "
            + "\(NumberText.significant(report.tolerance)) at most is rounding. A stop_gradient, or a choice "
            + "that is not differentiable, also appears like this")
      }
      if let dead = own.first(where: { $0.norm == 0 }) {
        return .failed("'\(dead.name)' has no gradient: nothing that it changes reaches the loss")
      }
      return .passed(
        "largest difference \(NumberText.significant(worst.typicalDifference)) of the gradient's norm")
    }
  }

  var deterministic: ConformanceCheck {
    ConformanceCheck("the same seed gives the same bits") {
      func once() throws -> (start: [[Float]], loss: Float, gradients: [[Float]]) {
        let model = try make()
        let start = model.parameters.map(\.array)
        let loss = try model.differentiate(try batch(model, true))
        return (start, loss, model.parameters.map(\.gradientArray))
      }
      let (first, second) = (try once(), try once())
      if first.start != second.start { return .failed("two creations start with different parameters") }
      if first.loss.bitPattern != second.loss.bitPattern { return .failed("two steps give different losses") }
      return .when(first.gradients == second.gradients, "start values, loss and gradients")
    }
  }

  var learning: ConformanceCheck {
    ConformanceCheck("its parameters can lower the loss") {
      let model = try make()
      let own = parameters(model)
      guard !own.isEmpty else { return .skipped("it has no parameters") }
      let batch = try batch(model, false)
      let first = try model.loss(batch)
      var lowest = first
      for _ in 0..<40 {
        for parameter in model.parameters { parameter.clearGradient() }
        _ = try model.differentiate(batch)
        for parameter in own { parameter.descend() }
        lowest = min(lowest, try model.loss(batch))
      }
      guard first.isFinite, lowest.isFinite else { return .failed("the loss is not finite") }
      return .when(
        lowest < first,
        "from \(NumberText.significant(Double(first))) to \(NumberText.significant(Double(lowest))) in 40 steps"
      )
    }
  }

  /// Needs scores with a row for each sequence.
  var independent: ConformanceCheck {
    ConformanceCheck("a sequence's scores do not depend on the others in its batch") {
      let model = try make()
      let batch = try batch(model, false)
      let together = try model.scores(batch).perExample
      for example in 0..<batch.exampleCount {
        let alone = try model.scores(batch.example(example)).perExample
        let difference = largestDifference(together[example], alone.first ?? [])
        if !(difference < 1e-4) {
          return .failed(
            "sequence \(example) differs by \(NumberText.significant(Double(difference))) when it is alone")
        }
      }
      return .passed("\(batch.exampleCount) sequences of unequal lengths")
    }
  }

  var leakFree: ConformanceCheck {
    ConformanceCheck("it does not leak memory when it is created, used and destroyed repeatedly") {
      func once() throws {
        let model = try make()
        let (evaluation, training) = (try batch(model, false), try batch(model, true))
        // What a call forgets is found by many calls, however little it is.
        for _ in 0..<8 {
          _ = try model.scores(evaluation)
          _ = try model.differentiate(training)
          try more(model)
        }
      }
      guard HeapUse.bytes != nil else { return .skipped("this system does not report how much is in use") }
      for _ in 0..<8 { try once() }
      let rounds = 24
      let before = HeapUse.bytes ?? 0
      for _ in 0..<rounds { try once() }
      let perRound = ((HeapUse.bytes ?? 0) - before) / rounds
      // The host keeps a few bytes of names here and there; a forgotten object of a component is more.
      return .when(perRound < 512, "\(perRound) bytes per round")
    }
  }
}

extension TrainableParameter {
  /// Its values.
  var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }
  /// Its gradient.
  var gradientArray: [Float] { Array(UnsafeBufferPointer(start: gradients, count: count)) }

  /// Moves each value a little.
  func disturb() {
    for index in 0..<count { values[index] += 0.01 * Float(index % 7 - 3) }
  }

  /// A step down its gradient whose length is a fiftieth of its size.
  func descend() {
    func norm(_ values: UnsafeMutablePointer<Float>) -> Float {
      (0..<count).reduce(0) { $0 + values[$1] * values[$1] }.squareRoot()
    }
    let slope = norm(gradients)
    guard slope > 0 else { return }
    let size = max(norm(values), 0.1 * Float(count).squareRoot())
    for index in 0..<count { values[index] -= 0.02 * size / slope * gradients[index] }
  }
}

extension PackedBatch {
  /// An example as a batch of its own.
  func example(_ index: Int) -> PackedBatch {
    PackedBatch(examples: [example(index, withTargets: false)], training: isTraining)
  }

  /// The sequences of an example, with its targets at the first one.
  func example(_ index: Int, withTargets: Bool) -> [Sequence] {
    let sequences = Int(exampleOffsets[index])..<Int(exampleOffsets[index + 1])
    let integers = Int(integerOffsets[index])..<Int(integerOffsets[index + 1])
    let numbers = Int(numberOffsets[index])..<Int(numberOffsets[index + 1])
    return sequences.map { sequence in
      let tokens = Int(offsets[sequence])..<Int(offsets[sequence + 1])
      let marks = Int(markOffsets[sequence])..<Int(markOffsets[sequence + 1])
      let bears = withTargets && sequence == sequences.lowerBound
      return Sequence(
        tokens: Array(self.tokens[tokens]), tokenTypes: Array(tokenTypes[tokens]), task: tasks[sequence],
        integers: bears ? Array(self.integers[integers]) : [],
        numbers: bears ? Array(self.numbers[numbers]) : [], marks: Array(self.marks[marks]),
        context: contextEnds[sequence] - offsets[sequence])
    }
  }
}

/// The largest difference between two lists of numbers; infinite if their lengths differ.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    // A comparison with NaN is false: it must not pass for small.
    return difference <= largest ? largest : difference
  }
}
