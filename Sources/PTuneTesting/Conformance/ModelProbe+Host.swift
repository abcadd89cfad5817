import PTune
import PTuneEngine
import PTuneTerminal

/// How a component treats its host.
extension ModelProbe {
  var memory: ConformanceCheck {
    ConformanceCheck("it stays within the host's arrays, and only reads them") {
      func once(_ filler: UInt8) throws -> (numbers: [[Float]], damage: [String]) {
        let (numbers, damage) = try HostMemory.watching(filler: filler) {
          let model = try make()
          model.session.appliesDropout = false
          let evaluation = try model.scores(try batch(model, false)).perExample
          let training = try model.differentiate(try batch(model, true))
          try more(model)
          return evaluation + [[training]]
        }
        return (numbers, damage)
      }
      let (first, second) = (try once(0xA5), try once(0x5A))
      if let place = (first.damage + second.damage).first { return .failed("it wrote \(place)") }
      let difference = largestDifference(first.numbers, second.numbers)
      return .when(
        difference == 0,
        difference == 0
          ? "arrays of batches and rows are as they were"
          : "results change by \(NumberText.significant(Double(difference))) with what stands behind the host's arrays: it "
            + "reads past their ends")
    }
  }

  var stops: ConformanceCheck {
    ConformanceCheck("it stops when the user asks to") {
      let model = try make()
      let batch = try batch(model, true)
      _ = try model.loss(batch)
      var asked = 0
      model.session.isCancelled = {
        asked += 1
        return true
      }
      let clock = ContinuousClock()
      var refusal: EngineFailure?
      let time = try clock.measure {
        do { _ = try model.differentiate(batch) } catch let failure as EngineFailure { refusal = failure }
      }
      if asked > 0 {
        guard let refusal, refusal.status == Self.cancelled else {
          return .failed("`cancelled` told it to stop, and it went on: return PTUNE_CANCELLED")
        }
        return .passed("it asked, and stopped")
      }
      // Only long work has to ask.
      return .when(
        time < .seconds(10),
        time < .seconds(10) ? "its work is short" : "a step of a tiny model takes \(time), without asking")
    }
  }

  /// The status PTUNE_CANCELLED.
  private static var cancelled: Int32 { 4 }

  var edges: ConformanceCheck {
    ConformanceCheck(
      "its numbers are finite at the edges: a single token, a single sequence, the longest text"
    ) {
      let model = try make()
      let longest = min((model.facts?.positions ?? 1) - model.adapterPositions, 512)
      guard longest >= 1 else { return .failed("it leaves no position for a text") }
      for lengths in [[1], [1, 1, 1], [longest], [1, longest]] {
        let batch = try sized(model, lengths)
        for parameter in model.parameters { parameter.clearGradient() }
        let loss = try model.differentiate(batch)
        guard loss.isFinite else { return .failed("the loss of lengths \(lengths) is \(loss)") }
        if let bad = model.parameters.first(where: { !$0.gradientArray.allSatisfy(\.isFinite) }) {
          return .failed("with lengths \(lengths) the gradient of '\(bad.name)' is not finite")
        }
        guard try model.scores(batch).perExample.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
          return .failed("with lengths \(lengths) some scores are not finite")
        }
      }
      return .passed("lengths 1 and \(longest)")
    }
  }

  /// A batch of sequences of these lengths.
  private func sized(_ model: Model, _ lengths: [Int]) throws -> PackedBatch {
    let usual = try batch(model, true)
    let marks = usual.markOffsets.count > 1 ? Int(usual.markOffsets[1]) : 0
    return .forTesting(
      lengths: lengths, vocabulary: model.facts?.vocabularySize ?? TinyTransformer.vocabularySize,
      marks: marks)
  }

  var meanLoss: ConformanceCheck {
    ConformanceCheck("the loss is a mean: twice the same examples have the same loss") {
      let model = try make()
      let batch = try batch(model, false)
      let once = try model.loss(batch)
      let twice = try model.loss(batch.twice)
      let difference = abs(twice - once) / max(0.1, abs(once))
      return .when(
        difference < 1e-4,
        "\(NumberText.significant(Double(once))), twice \(NumberText.significant(Double(twice)))")
    }
  }
}

extension PackedBatch {
  /// Its examples with their targets, and again.
  var twice: PackedBatch {
    let examples = (0..<exampleCount).map { example($0, withTargets: true) }
    return PackedBatch(examples: examples + examples, training: isTraining)
  }
}
