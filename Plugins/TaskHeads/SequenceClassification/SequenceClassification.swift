import CPTune
import PTune
import PTuneClassification

/// One of several labels per sequence, or any number of them: pooled row -> hidden layers -> linear -> softmax, or a
/// sigmoid for each label.
final class SequenceClassification: TaskHead {
  static let scoreRows = ScoreRows.perSequence
  private let labels: Labels
  private let pooling: Pooling
  private let usesPooler: Bool
  private let activation: Activation
  private let dropout: Double
  /// [labels]; nil where all count the same.
  private let classWeights: [Float]?
  private let labelSmoothing: Double
  /// nil where a text has exactly one label.
  private let multiLabel: MultiLabel?
  private let hidden: [Linear]
  private let classifier: Linear

  enum Activation: String, HyperparameterChoice { case tanh, relu }

  init(
    labels: [String], pooling: String, basePooler: Bool, hiddenLayers: Int, hiddenSize: Int,
    activation: Activation, dropout: Double, classWeights: [String], labelSmoothing: Double,
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
    self.labels = try Labels(labels, head: "sequence-classification")
    self.pooling = try Pooling(named: pooling)
    self.activation = activation
    self.classWeights = try self.labels.classWeights(classWeights)
    self.labelSmoothing = labelSmoothing
    self.multiLabel =
      multiLabel ? MultiLabel(labels: labels, separator: labelSeparator, threshold: threshold) : nil
    usesPooler = basePooler
    self.dropout = dropout
    let width = Base.facts.hiddenSize
    let inner = hiddenSize == 0 ? width : hiddenSize
    hidden = try (0..<hiddenLayers).map {
      try Linear("hidden.\($0)", inputs: $0 == 0 ? width : inner, outputs: inner, bias: .zeros)
    }
    classifier = try Linear(
      "classifier", inputs: hidden.isEmpty ? width : inner, outputs: labels.count, bias: .zeros)
  }

  func encode(_ example: Example, into targets: Targets) throws {
    if let multiLabel { return try targets.emit(multiLabel.targets(example)) }
    try labels.encode(example, into: targets)
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    var x = try pooling.rows(of: hidden, batch)
    if usesPooler { x = Base.pooler(x) }
    for layer in self.hidden {
      x = layer(x.dropout(dropout))
      x = activation == .relu ? x.relu() : x.tanh()
    }
    return classifier(x.dropout(dropout))
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
