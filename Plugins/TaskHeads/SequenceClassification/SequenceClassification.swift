import CPTune
import PTune
import PTuneClassification

/// One of several labels per sequence, or any number of them: pooled row -> hidden layers -> linear -> softmax, or a
/// sigmoid for each label.
final class SequenceClassification: TaskHead {
  static let scoreRows = ScoreRows.perSequence
  private let labels: Labels
  private let scorer: TextScorer
  /// [labels]; nil where all count the same.
  private let classWeights: [Float]?
  private let labelSmoothing: Double
  /// nil where a text has exactly one label.
  private let multiLabel: MultiLabel?

  init(
    labels: [String], pooling: String, basePooler: Bool, hiddenLayers: Int, hiddenSize: Int,
    activation: TextScorer.Activation, bias: Bool, dropout: Double, classWeights: [String],
    labelSmoothing: Double,
    multiLabel: Bool, labelSeparator: String, threshold: Double
  ) throws {
    guard !multiLabel || classWeights.isEmpty && labelSmoothing == 0 else {
      throw ComponentFailure.unsupported(
        "class_weights and label_smoothing are for texts of one label, not for multi_label")
    }
    guard multiLabel || labelSeparator.isEmpty else {
      throw ComponentFailure.badArgument(
        "label_separator is for texts of several labels; add multi_label: true")
    }
    self.labels = try Labels(labels, head: "sequence-classification", minimum: multiLabel ? 1 : 2)
    self.classWeights = try self.labels.classWeights(classWeights)
    self.labelSmoothing = labelSmoothing
    self.multiLabel =
      multiLabel ? MultiLabel(labels: labels, separator: labelSeparator, threshold: threshold) : nil
    scorer = try TextScorer(
      pooling: pooling, basePooler: basePooler, hiddenLayers: hiddenLayers, hiddenSize: hiddenSize,
      activation: activation, bias: bias, dropout: dropout, outputs: labels.count)
  }

  func encode(_ example: Example, into targets: Targets) throws {
    if let multiLabel { return try targets.emit(multiLabel.targets(example)) }
    try labels.encode(example, into: targets)
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    try scorer(hidden, batch)
  }

  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    multiLabel == nil
      ? scores.crossEntropy(batch.integerTargets, classWeights: classWeights, smoothing: labelSmoothing)
      : scores.sigmoidCrossEntropy(Array(batch.numberTargets))
  }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    if let multiLabel { return try multiLabel.predict(scores, into: prediction) }
    try labels.predict(scores, into: prediction)
  }

  func measure(_ evaluation: Evaluation) throws {
    if let multiLabel { return try multiLabel.measure(evaluation) }
    try labels.measure(evaluation)
  }
}
