import PTuneEngine

/// A step of the optimiser: gradients of one or more batches, clipped, and the update.
struct GradientStep {
  let model: Model
  let optimizer: any Optimizer
  /// The norm that all gradients together are scaled down to; 0 for no clipping.
  let clipNorm: Double

  /// Takes the step.
  ///
  /// - Parameters:
  ///   - batches: what to learn from; the loss is the mean of theirs.
  ///   - number: counted from 1, for the error.
  /// - Returns: the loss, and the norm of the gradients before clipping.
  /// - Throws: `EngineFailure`, or ``TrainingError/diverged(step:loss:)``.
  func take(
    _ batches: some Sequence<PackedBatch>, learningRate: Double, number: Int
  ) throws -> (loss: Double, norm: Double) {
    guard let profile = model.session.profile else {
      return try takeUnmeasured(batches, learningRate: learningRate, number: number)
    }
    return try profile.step { try takeUnmeasured(batches, learningRate: learningRate, number: number) }
  }

  private func takeUnmeasured(
    _ batches: some Sequence<PackedBatch>, learningRate: Double, number: Int
  ) throws -> (loss: Double, norm: Double) {
    var losses: [Double] = []
    for batch in batches { losses.append(Double(try model.differentiate(batch))) }
    if losses.count > 1 { optimizer.scaleGradients(1 / Double(losses.count)) }
    let loss = losses.reduce(0, +) / Double(losses.count)
    let norm = optimizer.gradientNorm()
    guard loss.isFinite, norm.isFinite else { throw TrainingError.diverged(step: number, loss: loss) }
    // As torch.nn.utils.clip_grad_norm_ does it.
    if clipNorm > 0, norm > clipNorm { optimizer.scaleGradients(clipNorm / (norm + 1e-6)) }
    model.session.profile.around("optimizer") { optimizer.update(learningRate: learningRate) }
    return (loss, norm)
  }
}
