import CPTune
import PTune

/// One of several labels per sequence: pooled row -> hidden layers -> linear -> softmax.
final class SequenceClassification: TaskHead {
  static let scoreRows = ScoreRows.perSequence
  private let labels: [String]
  private let pooling: Pooling
  private let usesPooler: Bool
  private let activation: Activation
  private let dropout: Double
  /// [labels]; nil where all count the same.
  private let classWeights: [Float]?
  private let labelSmoothing: Double
  private let hidden: [(weight: Parameter, bias: Parameter)]
  private let weight: Parameter
  private let bias: Parameter

  enum Activation: String, CaseIterable {
    case tanh, relu
  }

  init(
    labels: [String], pooling: String, basePooler: Bool, hiddenLayers: Int, hiddenSize: Int,
    activation: String, dropout: Double, classWeights: [String], labelSmoothing: Double
  ) throws {
    guard labels.count >= 2, Set(labels).count == labels.count else {
      throw ComponentFailure.badArgument(
        "sequence-classification needs two or more different labels, not \(labels)")
    }
    guard let activation = Activation(rawValue: activation) else {
      throw ComponentFailure.badArgument("there is no activation '\(activation)'")
    }
    self.labels = labels
    self.pooling = try Pooling(named: pooling)
    self.activation = activation
    self.classWeights = try weights(classWeights, of: labels)
    self.labelSmoothing = labelSmoothing
    usesPooler = basePooler
    self.dropout = dropout
    var width = Base.facts.hiddenSize
    // Layers start as torch.nn.Linear's weights do: uniform within 1/sqrt(inputs).
    func layer(_ name: String, _ outputs: Int) throws -> (weight: Parameter, bias: Parameter) {
      let bound = 1 / Float(width).squareRoot()
      defer { width = outputs }
      return (
        try Parameter(name + ".weight", shape: [outputs, width], initial: .uniform(-bound, bound)),
        try Parameter(name + ".bias", shape: [outputs], initial: .zeros)
      )
    }
    let inner = hiddenSize == 0 ? width : hiddenSize
    hidden = try (0..<hiddenLayers).map { try layer("hidden.\($0)", inner) }
    (weight, bias) = try layer("classifier", labels.count)
  }

  func encode(_ example: Example, into targets: Targets) throws {
    guard let label = example.field("label") else {
      throw ComponentFailure.badArgument("the row has no label")
    }
    guard let index = labels.firstIndex(of: label) else {
      throw ComponentFailure.badArgument(
        "label '\(label)' is not one of \(labels.joined(separator: ", "))")
    }
    try targets.emit([Int32(index)])
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    var x = try pooling.rows(of: hidden, batch)
    if usesPooler { x = Base.pooler(x) }
    for layer in self.hidden {
      x = x.dropout(dropout).linear(layer.weight.value, bias: layer.bias.value)
      x = activation == .relu ? x.relu() : x.tanh()
    }
    return x.dropout(dropout).linear(weight.value, bias: bias.value)
  }

  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    scores.crossEntropy(batch.integerTargets, classWeights: classWeights, smoothing: labelSmoothing)
  }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    let probabilities = softmax(scores[0])
    guard let best = probabilities.indices.max(by: { probabilities[$0] < probabilities[$1] }) else { return }
    try prediction.put(labels[best], as: "label")
    try prediction.put(probabilities[best], as: "probability")
    try prediction.put(Array(zip(labels, probabilities)), as: "probabilities")
  }

  func measure(_ evaluation: Evaluation) throws {
    // confusion[target][predicted]
    var confusion = Array(repeating: Array(repeating: 0.0, count: labels.count), count: labels.count)
    for example in 0..<evaluation.count {
      let row = evaluation.scores(example)[0]
      guard let target = evaluation.integers(example).first,
        let best = row.indices.max(by: { row[$0] < row[$1] })
      else { continue }
      confusion[Int(target)][best - row.startIndex] += 1
    }
    let metrics = ConfusionMetrics(confusion)
    try evaluation.state("accuracy", metrics.accuracy)
    try evaluation.state("f1_macro", metrics.macroF1)
    try evaluation.state("mcc", metrics.matthews)
    try evaluation.state("majority_class", metrics.majorityShare)
  }
}

/// The weight of each label, from texts `label=weight`; nil without any.
private func weights(_ texts: [String], of labels: [String]) throws -> [Float]? {
  if texts.isEmpty { return nil }
  var weights = labels.map { _ in Float(1) }
  for text in texts {
    // A label may hold '=' itself: the last one counts.
    guard let sign = text.lastIndex(of: "="), let weight = Float(text[text.index(after: sign)...]),
      weight.isFinite, weight > 0
    else {
      throw ComponentFailure.badArgument("class_weights: '\(text)' is not label=weight with a weight above 0")
    }
    guard let index = labels.firstIndex(of: String(text[..<sign])) else {
      throw ComponentFailure.badArgument(
        "class_weights: '\(text[..<sign])' is not one of \(labels.joined(separator: ", "))")
    }
    weights[index] = weight
  }
  return weights
}

private func softmax(_ row: Slice<UnsafeBufferPointer<Float>>) -> [Double] {
  let top = Double(row.max() ?? 0)
  let powers = row.map { exponential(Double($0) - top) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}
