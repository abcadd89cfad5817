import PTuneEngine

/// How often something happens during training.
public enum TrainingInterval: Equatable, Sendable {
  /// At the end of each pass over the training data.
  case epoch
  /// Every so many steps, at least 1.
  case steps(Int)
  /// Never.
  case never
}

extension TrainingInterval: CustomStringConvertible {
  /// As a run file has it.
  public var description: String {
    switch self {
    case .epoch: "epoch"
    case .steps(let steps): "\(steps)"
    case .never: "never"
    }
  }
}

/// How the learning rate goes down after the warm-up.
public enum LearningRateSchedule: String, CaseIterable, Sendable {
  /// In a straight line to zero.
  case linear
  /// Along half a cosine to zero.
  case cosine
  /// Not at all.
  case constant
}

/// What a training step computes a second time for the gradient, instead of keeping it: results are the same.
public enum Recompute: String, CaseIterable, Sendable {
  /// Everything is kept.
  case nothing
  /// Layers of the base model, from their inputs.
  case layers
}

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
    TrainingOption("batch_size", .integer(\.batchSize, batch), "examples of one forward pass"),
    TrainingOption(
      "evaluation_batch_size", .integer(\.evaluationBatchSize, batch), "the same for evaluations"),
    TrainingOption(
      "accumulation", .integer(\.accumulation, batch), "batches whose gradients make one step"),
    TrainingOption("optimizer", .optimizer, "what takes the steps"),
    TrainingOption(
      "learning_rate", .optionalNumber(\.learningRate, RunLimits(above: 0, atMost: 1000)),
      "after the warm-up; the adapter's own if not given"),
    TrainingOption("schedule", .choice(ChoiceOf(path: \.schedule)), "how the learning rate goes down"),
    TrainingOption(
      "warmup_steps", .optionalInteger(\.warmupSteps, RunLimits(atLeast: 0, atMost: mostSteps)),
      "steps over which the learning rate rises"),
    TrainingOption(
      "warmup_ratio", .number(\.warmupRatio, share), "the same as a share of all steps"),
    TrainingOption(
      "weight_decay", .number(\.weightDecay, RunLimits(atLeast: 0, atMost: 1)), "the decoupled decay"),
    TrainingOption("beta1", .number(\.beta1, share), of: .adamw, "AdamW's decay of the mean gradient"),
    TrainingOption(
      "beta2", .number(\.beta2, share), of: .adamw, "AdamW's decay of the mean squared gradient"),
    TrainingOption(
      "epsilon", .number(\.epsilon, RunLimits(above: 0, atMost: 1)), of: .adamw,
      "what AdamW adds to the denominator"),
    TrainingOption(
      "decay_rate", .number(\.decayRate, RunLimits(above: 0, atMost: 1)), of: .adafactor,
      "how Adafactor's mean squared gradient decays: by 1 - t^-decay_rate"),
    TrainingOption(
      "clip_threshold", .number(\.clipThreshold, RunLimits(above: 0)), of: .adafactor,
      "the root mean square Adafactor's steps are cut to"),
    TrainingOption(
      "clip_norm", .number(\.clipNorm, RunLimits(atLeast: 0)), "the norm gradients are cut to; 0 for never"),
    TrainingOption(
      "on_divergence", .choice(ChoiceOf(path: \.onDivergence)),
      "what happens at a loss or gradient that is no number, or explodes"),
    TrainingOption(
      "skip_limit", .integer(\.skipLimit, natural), "steps in a row that 'skip' leaves out before it stops"),
    TrainingOption(
      "explosion_factor", .optionalNumber(\.explosionFactor, RunLimits(above: 1)),
      "a loss so many times the mean of the last ones has exploded; never if not given"),
    TrainingOption("evaluate_every", .interval(\.evaluateEvery), "when the validation data is evaluated"),
    TrainingOption(
      "early_stopping_patience", .optionalInteger(\.earlyStoppingPatience, positive),
      "evaluations without a better result after which training ends"),
    TrainingOption("checkpoint_every", .interval(\.checkpointEvery), "when a checkpoint is written"),
    TrainingOption("keep_checkpoints", .integer(\.keepCheckpoints, positive), "how many checkpoints stay"),
    TrainingOption("log_every", .integer(\.logEvery, positive), "steps between two lines in metrics.jsonl"),
    TrainingOption("tensorboard", .flag(\.tensorboard), "whether there is an event file for TensorBoard"),
    TrainingOption(
      "predictions", .integer(\.predictions, natural),
      "held-out rows of a task that predictions.jsonl has at most; 0 for none"),
    TrainingOption(
      "samples", .integer(\.samples, RunLimits(atLeast: 0, atMost: 100)),
      "texts that a causal model goes on with at the end"),
    TrainingOption(
      "task_sampling", .choice(ChoiceOf(path: \.taskSampling)), "how often each task is trained on",
      severalTasks: true),
    TrainingOption(
      "task_temperature", .number(\.taskTemperature, RunLimits(atLeast: 1, atMost: 1000)),
      "of the sampling of that name; the larger, the more uniform", severalTasks: true),
    TrainingOption(
      "task_batches", .choice(ChoiceOf(path: \.taskBatches)), "what a batch holds", severalTasks: true),
    TrainingOption(
      "task_weighting", .choice(ChoiceOf(path: \.taskWeighting)), "where the losses' weights come from",
      severalTasks: true),
    TrainingOption(
      "best_by", .choice(ChoiceOf(path: \.bestBy)), "what decides which adapter is best", severalTasks: true),
    TrainingOption(
      "maximum_length", .optionalInteger(\.maximumLength, positive), "tokens to which longer texts are cut"),
    TrainingOption(
      "recompute", .choice(ChoiceOf(path: \.recompute)), "what is computed again to save memory"),
    TrainingOption(
      "seed", .integer(\.seed, natural), "what initialisation, shuffling and dropout are drawn from"),
    TrainingOption(
      "threads", .optionalInteger(\.threads, RunLimits(atLeast: 1, atMost: 1024)),
      "threads to compute with; all cores if not given"),
    TrainingOption(
      "compute", .choice(ChoiceOf(path: \.compute)), "what products with the base model's weights round to"),
  ]

  private static let positive = RunLimits(atLeast: 1)
  // What is multiplied with others and with numbers of rows stays far from the largest integer.
  private static let mostSteps = 1_000_000_000.0
  private static let steps = RunLimits(atLeast: 1, atMost: mostSteps)
  private static let batch = RunLimits(atLeast: 1, atMost: 1_048_576)
  private static let natural = RunLimits(atLeast: 0)
  private static let share = RunLimits(atLeast: 0, below: 1)
}

extension TrainingOption {
  /// The value as a run file has it, or nil if it is not set.
  ///
  /// What belongs to another optimiser is not set.
  func text(in options: TrainingOptions) -> String? {
    if let optimizer, optimizer != options.optimizer { return nil }
    return switch kind {
    case .integer(let path, _): "\(options[keyPath: path])"
    case .optionalInteger(let path, _): options[keyPath: path].map { "\($0)" }
    case .number(let path, _): RunText.number(options[keyPath: path])
    case .optionalNumber(let path, _): options[keyPath: path].map(RunText.number)
    case .interval(let path): options[keyPath: path].description
    case .flag(let path): "\(options[keyPath: path])"
    case .choice(let choice): choice.text(in: options)
    case .optimizer: options.optimizer.rawValue
    }
  }

  /// Takes the value from the `training` section, if it is there.
  func read(_ section: RunSection, into options: inout TrainingOptions) throws(RunFileError) {
    if let optimizer, optimizer != options.optimizer {
      guard let node = section.node(name) else { return }
      throw RunFileError(
        place: node.place,
        problem: .conflict(
          "'\(name)' is of the optimizer \(optimizer.rawValue), and the run's is \(options.optimizer.rawValue)"
        ))
    }
    switch kind {
    case .integer(let path, let limits):
      if let value = try section.integer(name, limits) { options[keyPath: path] = value }
    case .optionalInteger(let path, let limits): options[keyPath: path] = try section.integer(name, limits)
    case .number(let path, let limits):
      if let value = try section.number(name, limits) { options[keyPath: path] = value }
    case .optionalNumber(let path, let limits):
      if let value = try section.number(name, limits) { options[keyPath: path] = value }
    case .interval(let path):
      if let value = try section.interval(name) { options[keyPath: path] = value }
    case .flag(let path):
      if let value = try section.boolean(name) { options[keyPath: path] = value }
    case .choice(let choice): try choice.read(name, section, into: &options)
    case .optimizer: break  // It was read before all others, since their defaults depend on it.
    }
  }
}
