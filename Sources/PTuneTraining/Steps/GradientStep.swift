import PTuneComposition
import PTuneEngine

/// A step of the optimiser: gradients of one or more batches, clipped, and the update.
struct GradientStep {
  let model: Model
  let optimizer: any Optimizer
  /// The norm that all gradients together are scaled down to; 0 for no clipping.
  let clipNorm: Double
  /// How many times the mean of those before a loss may be; nil for any.
  var explosionFactor: Double?

  /// What became of a step.
  enum Outcome {
    /// The loss of all examples, and the norm of the gradients before clipping.
    case taken(loss: Double, norm: Double)
    /// Nothing was changed, because of this batch.
    case refused(Divergence.Problem, batch: Int)
  }

  /// Takes the step.
  ///
  /// - Parameters:
  ///   - batches: what to learn from; loss and gradient are those of one batch of all their examples.
  ///   - watch: what it knows of the losses before.
  /// - Throws: `EngineFailure`.
  func take(
    _ batches: some Sequence<PackedBatch>, learningRate: Double, after watch: DivergenceWatch
  ) throws -> Outcome {
    guard let profile = model.session.profile else {
      return try takeUnmeasured(batches, learningRate: learningRate, after: watch)
    }
    return try profile.step { try takeUnmeasured(batches, learningRate: learningRate, after: watch) }
  }

  private func takeUnmeasured(
    _ batches: some Sequence<PackedBatch>, learningRate: Double, after watch: DivergenceWatch
  ) throws -> Outcome {
    let batches = Array(batches)
    let shares = try model.shares(of: batches)
    var (total, norm) = (0.0, 0.0)
    for (index, batch) in batches.enumerated() {
      let loss = Double(try model.differentiate(batch, share: shares[index]))
      norm = optimizer.gradientNorm()
      total += loss
      // That of the batch alone is compared with those before.
      let own = shares[index].map { $0.whole > 0 ? loss / $0.whole : loss } ?? loss
      if let problem = watch.problem(loss: own, norm: norm, factor: explosionFactor) {
        optimizer.parameters.forEach { $0.clearGradient() }
        return .refused(problem, batch: index)
      }
    }
    // As torch.nn.utils.clip_grad_norm_ does it.
    if clipNorm > 0, norm > clipNorm { optimizer.scaleGradients(clipNorm / (norm + 1e-6)) }
    model.session.profile.around("optimizer") { optimizer.update(learningRate: learningRate) }
    return .taken(loss: total, norm: norm)
  }
}
