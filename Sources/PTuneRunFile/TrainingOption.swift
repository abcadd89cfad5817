import PTuneEngine

/// One option of the `training` section, for `--help` and for reading and writing run files.
public struct TrainingOption: Sendable {
  /// The key in the run file.
  public let name: String
  /// What it does, in one line.
  public let summary: String
  let kind: Kind
  /// The optimiser that has it; nil for all.
  let optimizer: OptimizerKind?

  enum Kind: Sendable {
    case integer(WritableKeyPath<TrainingOptions, Int> & Sendable, RunLimits)
    case optionalInteger(WritableKeyPath<TrainingOptions, Int?> & Sendable, RunLimits)
    case number(WritableKeyPath<TrainingOptions, Double> & Sendable, RunLimits)
    case optionalNumber(WritableKeyPath<TrainingOptions, Double?> & Sendable, RunLimits)
    case interval(WritableKeyPath<TrainingOptions, TrainingInterval> & Sendable)
    case flag(WritableKeyPath<TrainingOptions, Bool> & Sendable)
    case choice(any Choice)
    case optimizer
  }

  /// Whether it means something only where a run has several tasks.
  let isForSeveralTasks: Bool

  private init(
    _ name: String, _ kind: Kind, of optimizer: OptimizerKind? = nil, _ summary: String,
    severalTasks: Bool = false
  ) {
    self.name = name
    self.kind = kind
    self.optimizer = optimizer
    self.summary = summary
    isForSeveralTasks = severalTasks
  }

  /// One of some names.
  protocol Choice: Sendable {
    var names: [String] { get }
    func text(in options: TrainingOptions) -> String
    func read(_ name: String, _ section: RunSection, into options: inout TrainingOptions) throws(RunFileError)
  }

  private struct ChoiceOf<Value: RawRepresentable & CaseIterable & Sendable>: Choice
  where Value.RawValue == String {
    let path: WritableKeyPath<TrainingOptions, Value> & Sendable

    var names: [String] { Value.allCases.map(\.rawValue) }
    func text(in options: TrainingOptions) -> String { options[keyPath: path].rawValue }
    func read(
      _ name: String, _ section: RunSection, into options: inout TrainingOptions
    ) throws(RunFileError) {
      if let value = try section.choice(name, Value.self) { options[keyPath: path] = value }
    }
  }

  /// The default as a run file has it; nil where there is none.
  public var defaultText: String? { text(in: TrainingOptions(optimizer: optimizer ?? .adamw)) }

  /// What it may be: "integer, at least 1".
  public var type: String {
    switch kind {
    case .integer(_, let limits), .optionalInteger(_, let limits):
      "integer, \(limits.rule.dropFirst("must be ".count))"
    case .number(_, let limits), .optionalNumber(_, let limits):
      "number, \(limits.rule.dropFirst("must be ".count))"
    case .interval: "epoch, never or a number of steps"
    case .flag: "true, false"
    case .choice(let choice): choice.names.joined(separator: ", ")
    case .optimizer: OptimizerKind.allCases.map(\.rawValue).joined(separator: ", ")
    }
  }

  /// All of them, in the order in which they are listed and written.
  public static let all = [
    TrainingOption("epochs", .integer(\.epochs, steps), "passes over the training data"),
    TrainingOption("max_steps", .optionalInteger(\.maxSteps, steps), "steps after which training ends"),
    TrainingOption("batch_size", .integer(\.batchSize, batch), "examples per forward pass"),
    TrainingOption(
      "evaluation_batch_size", .integer(\.evaluationBatchSize, batch), "the same for evaluations"),
    TrainingOption(
      "accumulation", .integer(\.accumulation, batch),
      "batches that make one step, equivalent to one batch of all their rows"),
    TrainingOption("optimizer", .optimizer, "the optimiser"),
    TrainingOption(
      "learning_rate", .optionalNumber(\.learningRate, RunLimits(above: 0, atMost: 1000)),
      "after the warm-up; the adapter's own if not given"),
    TrainingOption("schedule", .choice(ChoiceOf(path: \.schedule)), "how the learning rate decreases"),
    TrainingOption(
      "warmup_steps", .optionalInteger(\.warmupSteps, RunLimits(atLeast: 0, atMost: mostSteps)),
      "steps over which the learning rate rises"),
    TrainingOption(
      "warmup_ratio", .number(\.warmupRatio, share), "the same as a fraction of all steps"),
    TrainingOption(
      "weight_decay", .number(\.weightDecay, RunLimits(atLeast: 0, atMost: 1)), "the decoupled decay"),
    TrainingOption("beta1", .number(\.beta1, share), of: .adamw, "AdamW's decay of the mean gradient"),
    TrainingOption(
      "beta2", .number(\.beta2, share), of: .adamw, "AdamW's decay of the mean squared gradient"),
    TrainingOption(
      "epsilon", .number(\.epsilon, RunLimits(above: 0, atMost: 1)), of: .adamw,
      "the term that AdamW adds to the denominator"),
    TrainingOption(
      "decay_rate", .number(\.decayRate, RunLimits(above: 0, atMost: 1)), of: .adafactor,
      "how Adafactor's mean squared gradient decays: by 1 - t^-decay_rate"),
    TrainingOption(
      "clip_threshold", .number(\.clipThreshold, RunLimits(above: 0)), of: .adafactor,
      "the root mean square to which Adafactor's steps are clipped"),
    TrainingOption(
      "clip_norm", .number(\.clipNorm, RunLimits(atLeast: 0)),
      "the norm to which gradients are clipped; 0 for never"),
    TrainingOption(
      "on_divergence", .choice(ChoiceOf(path: \.onDivergence)),
      "what happens if the loss or a gradient is not a number, or explodes"),
    TrainingOption(
      "skip_limit", .integer(\.skipLimit, natural), "consecutive steps that 'skip' skips before it stops"),
    TrainingOption(
      "explosion_factor", .optionalNumber(\.explosionFactor, RunLimits(above: 1)),
      "how many times the mean of the last losses counts as exploded; never if not given"),
    TrainingOption("evaluate_every", .interval(\.evaluateEvery), "when the validation data is evaluated"),
    TrainingOption(
      "early_stopping_patience", .optionalInteger(\.earlyStoppingPatience, positive),
      "evaluations without improvement after which training ends"),
    TrainingOption("checkpoint_every", .interval(\.checkpointEvery), "when a checkpoint is written"),
    TrainingOption(
      "keep_checkpoints", .integer(\.keepCheckpoints, positive), "how many checkpoints are kept"),
    TrainingOption("log_every", .integer(\.logEvery, positive), "steps between two lines in metrics.jsonl"),
    TrainingOption("tensorboard", .flag(\.tensorboard), "whether an event file for TensorBoard is written"),
    TrainingOption(
      "predictions", .integer(\.predictions, natural),
      "most held-out rows of a task in predictions.jsonl; 0 for none"),
    TrainingOption(
      "samples", .integer(\.samples, RunLimits(atLeast: 0, atMost: 100)),
      "texts that a causal model continues at the end"),
    TrainingOption(
      "task_sampling", .choice(ChoiceOf(path: \.taskSampling)), "how often each task is trained",
      severalTasks: true),
    TrainingOption(
      "task_temperature", .number(\.taskTemperature, RunLimits(atLeast: 1, atMost: 1000)),
      "for 'task_sampling: temperature'; the larger, the more uniform", severalTasks: true),
    TrainingOption(
      "task_batches", .choice(ChoiceOf(path: \.taskBatches)),
      "whether a batch has examples of one task or of all", severalTasks: true),
    TrainingOption(
      "task_weighting", .choice(ChoiceOf(path: \.taskWeighting)),
      "whether the losses' weights are fixed or trained",
      severalTasks: true),
    TrainingOption(
      "best_by", .choice(ChoiceOf(path: \.bestBy)), "what decides which adapter is best", severalTasks: true),
    TrainingOption(
      "maximum_length", .optionalInteger(\.maximumLength, positive),
      "tokens to which longer texts are truncated"),
    TrainingOption(
      "recompute", .choice(ChoiceOf(path: \.recompute)), "what is recomputed to save memory"),
    TrainingOption(
      "seed", .integer(\.seed, natural), "seed of initialisation, shuffling and dropout"),
    TrainingOption(
      "threads", .optionalInteger(\.threads, RunLimits(atLeast: 1, atMost: 1024)),
      "number of threads; all cores if not given"),
    TrainingOption(
      "compute", .choice(ChoiceOf(path: \.compute)), "precision of products with the base model's weights"),
  ]

  private static let positive = RunLimits(atLeast: 1)
  // What is multiplied with others and with numbers of rows stays far from the largest integer.
  private static let mostSteps = 1_000_000_000.0
  private static let steps = RunLimits(atLeast: 1, atMost: mostSteps)
  private static let batch = RunLimits(atLeast: 1, atMost: 1_048_576)
  private static let natural = RunLimits(atLeast: 0)
  private static let share = RunLimits(atLeast: 0, below: 1)
}
