import PTuneComposition
import PTuneEngine

/// Takes single steps of a run and says how long each took, for benchmarks.
///
/// The examples of the run's first task come in the order of their file, a batch after the other, again and again: whoever
/// writes the file decides whether a batch has examples of one task or of all.
public final class TimedSteps {
  private let run: TrainingRun
  private let step: GradientStep
  private let rate: Double
  private let batches: [[EncodedExample]]
  private var taken = 0

  /// Steps of a run.
  public init(_ run: TrainingRun) {
    self.run = run
    let options = run.spec.training
    let model = run.composition.model
    step = GradientStep(
      model: model, optimizer: options.optimizer.make(model.trainedParameters, options),
      clipNorm: options.clipNorm)
    rate = options.learningRate ?? run.composition.recommendedLearningRate ?? Trainer.usualLearningRate
    let examples = run.examples[0].train
    batches = stride(from: 0, to: examples.count, by: options.batchSize).map {
      Array(examples[$0..<min($0 + options.batchSize, examples.count)])
    }
  }

  /// Takes training steps at the peak learning rate.
  ///
  /// - Returns: the seconds of each, and the last loss.
  /// - Throws: `EngineFailure`, or ``TrainingError/diverged(_:skipped:kept:)``.
  public func train(_ count: Int) throws -> (seconds: [Double], loss: Double) {
    var loss = Double.nan
    let seconds = try time(count) { batch in
      taken += 1
      let packed = run.composition.batch(batch, task: 0, training: true)
      switch try step.take(CollectionOfOne(packed), learningRate: rate, after: DivergenceWatch()) {
      case .taken(let value, _): loss = value
      case .refused(let problem, _):
        let rows = Divergence.Rows(
          file: run.spec.tasks[0].data.train.value, lines: batch.map(\.line).sorted())
        throw DivergenceError(
          divergence: Divergence(step: taken, problem: problem, rows: [rows]), skipped: 0, kept: nil)
      }
    }
    return (seconds, loss)
  }

  /// Scores batches as an evaluation does.
  ///
  /// - Returns: the seconds of each.
  /// - Throws: `EngineFailure`.
  public func score(_ count: Int) throws -> [Double] {
    try time(count) { batch in
      _ = try run.composition.model.scores(
        run.composition.batch(batch, task: 0, training: false), forEvaluation: true)
    }
  }

  /// Calls `body` with the first `count` batches in turn.
  private func time(_ count: Int, _ body: ([EncodedExample]) throws -> Void) rethrows -> [Double] {
    let clock = ContinuousClock()
    return try (0..<count).map { index in
      let start = clock.now
      try body(batches[index % batches.count])
      return (clock.now - start) / .seconds(1)
    }
  }
}
