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
    /// The loss, and the norm of the gradients before clipping.
    case taken(loss: Double, norm: Double)
    /// Nothing was changed, because of this batch.
    case refused(Divergence.Problem, batch: Int)
  }

  /// Takes the step.
  ///
  /// - Parameters:
  ///   - batches: what to learn from; the loss is the mean of theirs.
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
    var losses: [Double] = []
    var norm = 0.0
    for batch in batches {
      let loss = Double(try model.differentiate(batch))
      norm = optimizer.gradientNorm()
      if let problem = watch.problem(loss: loss, norm: norm, factor: explosionFactor) {
        optimizer.parameters.forEach { $0.clearGradient() }
        return .refused(problem, batch: losses.count)
      }
      losses.append(loss)
    }
    if losses.count > 1 {
      optimizer.scaleGradients(1 / Double(losses.count))
      norm = optimizer.gradientNorm()
    }
    // As torch.nn.utils.clip_grad_norm_ does it.
    if clipNorm > 0, norm > clipNorm { optimizer.scaleGradients(clipNorm / (norm + 1e-6)) }
    model.session.profile.around("optimizer") { optimizer.update(learningRate: learningRate) }
    return .taken(loss: losses.reduce(0, +) / Double(losses.count), norm: norm)
  }
}
