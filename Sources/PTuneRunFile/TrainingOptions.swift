import PTuneEngine

/// The options of the `training` section.
///
/// Defaults are the values given here, for another optimiser than AdamW those of ``init(optimizer:)``, and nowhere
/// else; `TrainingOption.all` lists them for people.
public struct TrainingOptions: Equatable, Sendable {
  /// Passes over the training data.
  public var epochs = 3
  /// Steps after which training ends even if passes are left; nil for no limit.
  public var maxSteps: Int?
  /// Examples of one forward pass.
  public var batchSize = 32
  /// Examples of one forward pass of an evaluation.
  public var evaluationBatchSize = 64
  /// Batches whose gradients are added up before each step of the optimiser.
  public var accumulation = 1
  /// What takes the steps.
  public var optimizer = OptimizerKind.adamw
  /// The learning rate after the warm-up; nil for the one that the adapter recommends for AdamW.
  public var learningRate: Double?
  /// How the learning rate goes down.
  public var schedule = LearningRateSchedule.linear
  /// Steps over which the learning rate rises from zero; nil for `warmupRatio`.
  public var warmupSteps: Int?
  /// The share of all steps over which the learning rate rises from zero, where `warmupSteps` is nil.
  public var warmupRatio = 0.06
  /// The share of a parameter that a step at the learning rate 1 takes away.
  public var weightDecay = 0.01
  /// AdamW's decay of the mean of the gradients.
  public var beta1 = 0.9
  /// AdamW's decay of the mean of their squares.
  public var beta2 = 0.999
  /// What AdamW adds to the denominator.
  public var epsilon = 1e-8
  /// Adafactor's exponent: at step t the mean of the squared gradients decays by 1 - t^-rate.
  public var decayRate = 0.8
  /// The root mean square that Adafactor's steps are scaled down to, before the learning rate.
  public var clipThreshold = 1.0
  /// The norm that all gradients together are scaled down to; 0 for no clipping.
  public var clipNorm = 1.0
  /// What is done with a step whose loss is not a number or explodes.
  public var onDivergence = DivergencePolicy.stop
  /// Steps in a row that may be skipped; one more ends the training.
  public var skipLimit = 3
  /// How many times the mean of the last losses a loss has to be to count as exploded; nil for no such check.
  public var explosionFactor: Double?
  /// When the validation data is evaluated.
  public var evaluateEvery = TrainingInterval.epoch
  /// Evaluations without a better result after which training ends; nil for never.
  public var earlyStoppingPatience: Int?
  /// When a checkpoint to resume from is written.
  public var checkpointEvery = TrainingInterval.epoch
  /// Checkpoints that are kept, the latest ones.
  public var keepCheckpoints = 2
  /// Steps between two lines in metrics.jsonl.
  public var logEvery = 10
  /// Whether there is an event file for TensorBoard.
  public var tensorboard = true
  /// Held-out rows of each task that go to predictions.jsonl, at most; 0 for no such file.
  public var predictions = 10_000
  /// Texts that a causal model goes on with at the end, for results.json.
  public var samples = 4
  /// How often the examples of each task are trained on.
  public var taskSampling = TaskSampling.proportional
  /// The temperature of the sampling of that name; 1 is proportional, and the larger the more uniform.
  public var taskTemperature = 2.0
  /// What a batch holds.
  public var taskBatches = TaskBatches.single
  /// Where the weights of the tasks' losses come from.
  public var taskWeighting = TaskWeighting.fixed
  /// What decides which adapter is best.
  public var bestBy = BestBy.mean
  /// Tokens to which a longer text is cut, special tokens included; nil for what the base model takes.
  public var maximumLength: Int?
  /// What is computed a second time for the gradient instead of being kept.
  public var recompute = Recompute.nothing
  /// What initialisation, shuffling and dropout are drawn from.
  public var seed = 42
  /// Threads to compute with; nil for as many as there are cores.
  public var threads: Int?
  /// What the factors of products with the base model's weights are rounded to.
  public var compute = ComputePrecision.f32

  /// The defaults with this optimiser. Adafactor's are those that prompt tuning was published with (Lester et al. 2021,
  /// section 3.1): a constant rate of 0.3, a weight decay of 1e-5, and gradients as they are.
  public init(optimizer: OptimizerKind = .adamw) {
    self.optimizer = optimizer
    guard optimizer == .adafactor else { return }
    learningRate = 0.3
    schedule = .constant
    warmupRatio = 0
    weightDecay = 1e-5
    clipNorm = 0
  }
}
