/// Metrics of a confusion matrix, `[target][predicted]`.
public struct ConfusionMetrics {
  /// The share of examples whose predicted label is their target.
  public let accuracy: Double
  /// Unweighted mean of the labels' F1 scores; a label that neither occurs nor is predicted counts 0.
  public let macroF1: Double
  /// Matthews correlation coefficient, in its form for any number of labels (Gorodkin 2004).
  public let matthews: Double
  /// The accuracy of always answering the most frequent label.
  public let majorityShare: Double

  /// The metrics of a matrix of counts.
  public init(_ confusion: [[Double]]) {
    let labels = confusion.indices
    let targets = labels.map { confusion[$0].reduce(0, +) }
    let predicted = labels.map { column in labels.reduce(0) { $0 + confusion[$1][column] } }
    let total = targets.reduce(0, +)
    let correct = labels.reduce(0) { $0 + confusion[$1][$1] }
    func ratio(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }

    accuracy = ratio(correct, total)
    majorityShare = ratio(targets.max() ?? 0, total)
    let scores = labels.map { ratio(2 * confusion[$0][$0], targets[$0] + predicted[$0]) }
    macroF1 = ratio(scores.reduce(0, +), Double(labels.count))
    let covariance = correct * total - zip(targets, predicted).reduce(0) { $0 + $1.0 * $1.1 }
    let targetSpread = total * total - targets.reduce(0) { $0 + $1 * $1 }
    let predictedSpread = total * total - predicted.reduce(0) { $0 + $1 * $1 }
    matthews = ratio(covariance, (targetSpread * predictedSpread).squareRoot())
  }
}
