import PTune
import PTuneEngine
import PTuneTerminal

/// What a component may keep: its parameters, the state that the host holds for it, and nothing else.
extension ModelProbe {
  /// Comes before all that trains: what a component keeps in globals is then as it is in a new process.
  var parametersAlone: ConformanceCheck {
    ConformanceCheck("what it computes is a function of its parameters alone") {
      let fresh = try make()
      for parameter in parameters(fresh) { parameter.disturb() }
      let evaluation = try batch(fresh, false)
      let expected = try fresh.scores(evaluation).perExample

      let trained = try make()
      let training = try batch(trained, true)
      for _ in 0..<5 {
        for parameter in trained.parameters { parameter.clearGradient() }
        _ = try trained.differentiate(training)
        for parameter in parameters(trained) { parameter.descend() }
      }
      trained.copyParameters(of: fresh)
      let after = largestDifference(expected, try trained.scores(evaluation).perExample)
      guard after < 1e-5 else {
        return .failed(
          "after five steps of training the same parameters give scores apart by \(NumberText.significant(Double(after))): "
            + "it keeps numbers of its own, which no adapter file holds")
      }
      let newborn = try make()
      newborn.copyParameters(of: fresh)
      let later = largestDifference(expected, try newborn.scores(evaluation).perExample)
      return .when(
        later < 1e-5,
        later < 1e-5
          ? "scores before and after a training are the same"
          : "a new instance with the same parameters gives scores apart by \(NumberText.significant(Double(later)))"
      )
    }
  }

  var repeatable: ConformanceCheck {
    ConformanceCheck("the same batch gives the same numbers each time") {
      let model = try make()
      let evaluation = try batch(model, false)
      let first = try model.scores(evaluation).perExample
      for round in 2...4 {
        let difference = largestDifference(first, try model.scores(evaluation).perExample)
        if !(difference == 0) {
          return .failed(
            "scores of call \(round) differ by \(NumberText.significant(Double(difference))) from the first: it draws "
              + "random numbers in evaluation, or keeps a state that changes with each call")
        }
      }
      let drift = try lossDrift(model)
      return .when(
        drift == 0,
        drift == 0
          ? "scores four times, the loss four times"
          : "the loss of the same training step changes by \(NumberText.significant(drift)) from call to call: it keeps a "
            + "state of its own, which changes each step. The host keeps one for it: `state` of ptune.parameters/1"
      )
    }
  }

  /// How far the loss of the same training step, with the same random numbers and the host's states set back, moves.
  func lossDrift(_ model: Model) throws -> Double {
    let training = try batch(model, true)
    let start = model.mark()
    let first = try model.loss(training)
    var drift = 0.0
    for _ in 0..<3 {
      model.restore(start)
      let again = try model.loss(training)
      if again.bitPattern != first.bitPattern {
        let difference = Double(abs(again - first))
        drift = max(drift, difference > 0 ? difference : .infinity)
      }
    }
    model.restore(start)
    return drift
  }

  var sameInTraining: ConformanceCheck {
    ConformanceCheck("it computes the same in training as in evaluation, but for dropout") {
      let model = try make()
      model.session.appliesDropout = false
      let evaluation = try model.loss(try batch(model, false))
      let drawn = model.session.drawnNumbers
      let training = try model.loss(try batch(model, true))
      if model.session.drawnNumbers > drawn { return .skipped("it draws random numbers in training") }
      if !model.session.states.isEmpty { return .skipped("it keeps a state in training") }
      let difference = abs(training - evaluation) / max(1, abs(evaluation))
      return .when(
        difference < 1e-5,
        "losses \(NumberText.significant(Double(training))) and \(NumberText.significant(Double(evaluation)))"
      )
    }
  }

  var instances: ConformanceCheck {
    ConformanceCheck("two instances do not disturb each other") {
      let first = try make()
      let batch = try batch(first, false)
      let before = try first.scores(batch).perExample
      func apart() throws -> Float { largestDifference(before, try first.scores(batch).perExample) }
      var difference: Float = 0
      do {
        let second = try make()
        for parameter in parameters(second) { parameter.disturb() }
        difference = try apart()
        _ = try second.scores(batch)
        difference = max(difference, try apart())
      }
      // The second one is destroyed.
      difference = max(difference, try apart())
      return .when(
        difference == 0,
        difference == 0
          ? "scores stay as they are while another one comes, works and goes"
          : "scores change by \(NumberText.significant(Double(difference))) when another one is made, used or destroyed: what "
            + "belongs to an instance is kept in a global")
    }
  }
}

extension Model {
  /// What a step may change beside parameters.
  struct Mark {
    let generator: SplitMix64
    let states: [[Float]]
  }

  /// The present random numbers and states.
  func mark() -> Mark { Mark(generator: session.generator, states: session.states.map { Array($0.values) }) }

  /// Sets random numbers and states back; a state that is new becomes zero again.
  func restore(_ mark: Mark) {
    session.generator = mark.generator
    for (index, state) in session.states.enumerated() {
      if index < mark.states.count {
        _ = state.values.update(fromContentsOf: mark.states[index])
      } else {
        state.values.update(repeating: 0)
      }
    }
  }

  /// Takes over the values of a model that was made the same way.
  func copyParameters(of other: Model) {
    for (own, its) in zip(parameters, other.parameters) where own.count == its.count {
      own.values.update(from: its.values, count: own.count)
    }
  }
}

/// The largest difference between lists of lists; infinite if their lengths differ.
func largestDifference(_ a: [[Float]], _ b: [[Float]]) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = largestDifference(pair.0, pair.1)
    return difference <= largest ? largest : difference
  }
}
