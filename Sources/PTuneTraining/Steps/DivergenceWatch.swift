import PTuneComposition
import PTuneEngine

/// Looks at the losses of a training and tells those that it should not learn from.
struct DivergenceWatch: Equatable {
  /// Steps that were skipped since the last good one.
  var skippedInARow = 0
  /// The mean of the losses of good steps, the later the heavier.
  var meanLoss = 0.0
  /// Good steps so far.
  var goodSteps = 0

  /// Steps before which no loss counts as exploded: the mean means nothing yet.
  static let settlingSteps = 10
  /// What the mean keeps of itself at each step.
  static let decay = 0.9

  /// What is wrong with a loss and a norm of gradients; nil if they are good.
  ///
  /// - Parameter factor: how many times the mean a loss may be; nil for any.
  func problem(loss: Double, norm: Double, factor: Double?) -> Divergence.Problem? {
    if !loss.isFinite { return .loss(loss) }
    if !norm.isFinite { return .gradient(norm) }
    if let factor, goodSteps >= Self.settlingSteps, loss > factor * meanLoss {
      return .explosion(loss, mean: meanLoss)
    }
    return nil
  }

  mutating func takeGood(_ loss: Double) {
    skippedInARow = 0
    // Early on an average of all, as with a bias that is corrected.
    let weight = max(1 - Self.decay, 1 / Double(goodSteps + 1))
    meanLoss += weight * (loss - meanLoss)
    goodSteps += 1
  }
}

extension TrainableParameter {
  /// Whether all values are numbers.
  var isFinite: Bool { (0..<count).allSatisfy { values[$0].isFinite } }
}
