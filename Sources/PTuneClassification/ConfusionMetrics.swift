/// Metrics of labels that were given against those that are right. What is counted grows with the number of labels, not
/// with its square, as a matrix of all pairs would.
public struct ConfusionMetrics {
  /// The share of examples whose predicted label is their target.
  public let accuracy: Double
  /// Unweighted mean of the labels' F1 scores; a label that neither occurs nor is predicted counts 0.
  public let macroF1: Double
  /// Matthews correlation coefficient, in its form for any number of labels (Gorodkin 2004).
  public let matthews: Double
  /// The accuracy of always answering the most frequent label.
  public let majorityShare: Double

  /// The metrics of examples, by the places of their labels.
  ///
  /// - Parameter labels: how many labels there are.
  public init(labels: Int, _ examples: some Sequence<(target: Int, predicted: Int)>) {
    // Counts of each label; integers, so that sums are exact.
    var (right, targets, predicted) = (
      [Int](repeating: 0, count: labels), [Int](repeating: 0, count: labels),
      [Int](repeating: 0, count: labels)
    )
    for example in examples {
      targets[example.target] += 1
      predicted[example.predicted] += 1
      if example.target == example.predicted { right[example.target] += 1 }
    }
    let total = Double(targets.reduce(0, +))
    let correct = Double(right.reduce(0, +))
    func ratio(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }

    accuracy = ratio(correct, total)
    majorityShare = ratio(Double(targets.max() ?? 0), total)
    let scores = right.indices.map { ratio(2 * Double(right[$0]), Double(targets[$0] + predicted[$0])) }
    macroF1 = ratio(scores.reduce(0, +), Double(labels))
    let products = zip(targets, predicted).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let covariance = correct * total - products
    let targetSpread = total * total - targets.reduce(0.0) { $0 + Double($1) * Double($1) }
    let predictedSpread = total * total - predicted.reduce(0.0) { $0 + Double($1) * Double($1) }
    matthews = ratio(covariance, (targetSpread * predictedSpread).squareRoot())
  }
}

/// Labels with their probabilities as a prediction lists them: all of a hundred or fewer in their order, else the hundred
/// most probable ones, those first. Raw scores, which are there on request, are always all.
public func listed(_ names: [String], _ probabilities: [Double]) -> [(String, Double)] {
  let most = 100
  guard names.count > most else { return Array(zip(names, probabilities)) }
  return probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }.prefix(most).map {
    (names[$0], probabilities[$0])
  }
}
