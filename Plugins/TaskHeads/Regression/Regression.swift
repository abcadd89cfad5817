import CPTune
import PTune
import PTuneClassification

/// One number per sequence: pooled row -> hidden layers -> linear.
final class Regression: TaskHead {
  static let scoreRows = ScoreRows.perSequence
  private let scorer: TextScorer

  init(
    pooling: String, basePooler: Bool, hiddenLayers: Int, hiddenSize: Int, activation: TextScorer.Activation,
    bias: Bool,
    dropout: Double
  ) throws {
    scorer = try TextScorer(
      pooling: pooling, basePooler: basePooler, hiddenLayers: hiddenLayers, hiddenSize: hiddenSize,
      activation: activation, bias: bias, dropout: dropout, outputs: 1)
  }

  func encode(_ example: Example, into targets: Targets) throws {
    guard let label = example.field("label") else {
      throw ComponentFailure.badArgument("the row has no label")
    }
    guard let number = Float(label), number.isFinite else {
      throw ComponentFailure.badArgument("label '\(label)' is not a number")
    }
    try targets.emit([number])
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    try scorer(hidden, batch)
  }

  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    let difference = scores - Tensor.constant(Array(batch.numberTargets), rows: batch.count, columns: 1)
    return (difference * difference).mean()
  }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    guard let number = scores[0].first else { return }
    try prediction.put(Double(number), as: "value")
  }

  func measure(_ evaluation: Evaluation) throws {
    var predicted: [Double] = []
    var targets: [Double] = []
    for example in 0..<evaluation.count {
      guard let target = evaluation.numbers(example).first, let number = evaluation.scores(example)[0].first
      else { continue }
      predicted.append(Double(number))
      targets.append(Double(target))
    }
    let errors = zip(predicted, targets).map { ($0 - $1) * ($0 - $1) }
    try evaluation.state("pearson", correlation(predicted, targets))
    try evaluation.state("spearman", correlation(ranks(predicted), ranks(targets)))
    try evaluation.state("mse", errors.reduce(0, +) / Double(max(1, errors.count)), higherIsBetter: false)
  }
}

/// Pearson's correlation; 0 where one side does not vary.
private func correlation(_ x: [Double], _ y: [Double]) -> Double {
  let count = Double(max(1, x.count))
  let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
  var (xx, yy, xy) = (0.0, 0.0, 0.0)
  for (a, b) in zip(x, y) {
    xx += (a - meanX) * (a - meanX)
    yy += (b - meanY) * (b - meanY)
    xy += (a - meanX) * (b - meanY)
  }
  return xx > 0 && yy > 0 ? xy / (xx.squareRoot() * yy.squareRoot()) : 0
}

/// The rank of each value, from 1; equal values share the mean of theirs.
private func ranks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = values
  var begin = 0
  while begin < order.count {
    let end = order[begin...].firstIndex { values[$0] != values[order[begin]] } ?? order.count
    for place in begin..<end { ranks[order[place]] = Double(begin + 1 + end) / 2 }
    begin = end
  }
  return ranks
}
