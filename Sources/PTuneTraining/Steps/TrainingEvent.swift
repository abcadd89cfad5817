import PTuneComposition
import PTuneEngine

/// What happens during training, as it happens.
public enum TrainingEvent: Sendable {
  /// Everything is loaded; the first step follows.
  case started(TrainingPlan)
  /// A step was taken.
  case step(StepReport)
  /// A step changed nothing, because the loss or its gradient was not a number or exploded.
  case skipped(Divergence)
  /// An evaluation has scored so many examples.
  case evaluating(done: Int, of: Int)
  /// The tasks' validation data was evaluated; `best` if this is the best adapter so far.
  case evaluated([EvaluationReport], step: Int, best: Bool)
  /// Training ends before its last step.
  case stoppedEarly(step: Int, reason: String)
  /// Something the user should know.
  case warning(String)
}

/// What a training is going to do.
public struct TrainingPlan: Sendable {
  /// The tuning method, or several: "prefix-tuning + lora".
  public let adapter: String
  /// Number of trained values.
  public let trainableParameters: Int
  /// Number of frozen values.
  public let baseParameters: Int
  /// Training examples.
  public let examples: Int
  /// Validation examples.
  public let validationExamples: Int
  /// Test examples.
  public let testExamples: Int
  /// Steps of the optimiser.
  public let steps: Int
  /// The learning rate after the warm-up.
  public let learningRate: Double
  /// That of further adapters where it is another one.
  public let furtherRates: [(adapter: String, rate: Double)]
  /// Training texts that were cut to the maximum length.
  public let truncated: Int
  /// Tokens that a text may have, special tokens included.
  public let maximumLength: Int
  /// The step training continues from; 0 for a fresh start.
  public let resumedFrom: Int
}

/// One step of the optimiser.
public struct StepReport: Sendable {
  /// Counted from 1.
  public let step: Int
  /// Of how many.
  public let steps: Int
  /// Counted from 1.
  public let epoch: Int
  /// The loss of the step's examples.
  public let loss: Double
  /// The learning rate of the step.
  public let learningRate: Double
  /// The norm of the gradients before clipping.
  public let gradientNorm: Double
  /// Examples per second over the last steps.
  public let examplesPerSecond: Double
}

/// How a training ended.
public struct TrainingResult: Sendable {
  /// Number of trained values.
  public let trainableParameters: Int
  /// Number of frozen values.
  public let baseParameters: Int
  /// Steps taken.
  public let steps: Int
  /// Wall-clock seconds of the training loop, evaluations included.
  public let seconds: Double
  /// Examples per second in training steps, the first ones left out.
  public let examplesPerSecond: Double
  /// The loss of the last step.
  public let loss: Double
  /// The learning rate after the warm-up.
  public let learningRate: Double
  /// The best validation, per task.
  public let validation: [EvaluationReport]
  /// The best adapter on the test data, per task that has some.
  public let test: [EvaluationReport]
  /// The step of the best adapter.
  public let bestStep: Int
  /// Whether the user stopped it.
  public let wasInterrupted: Bool
  /// The adapter folder.
  public let adapter: String
  /// The plugins in use.
  public let plugins: [UsedPlugin]
}
