import PTune
import PTuneClassification

/// Any number of labels per text: each has a probability of its own.
struct MultiLabel {
  let labels: [String]
  /// What stands between labels in a row; empty where a row has a JSON list.
  let separator: String
  /// The probability from which on a label is given.
  let threshold: Double

  /// 1 for each label of the row, 0 for the others.
  ///
  /// - Throws: `ComponentFailure` for a label that is not known, or no list where there should be one.
  func targets(_ example: Example) throws -> [Float] {
    let field = separator.isEmpty ? nil : example.field("label")
    guard let given = field?.parts(separatedBy: separator) ?? example.list("label") else {
      throw ComponentFailure.badArgument(
        "the row's label is not a JSON list of labels, such as [\"long\", \"dull\"]; 'label_separator' is for texts"
      )
    }
    var targets = [Float](repeating: 0, count: labels.count)
    for label in given {
      guard let index = labels.firstIndex(of: label) else {
        throw ComponentFailure.badArgument("label '\(short(label))' is not one of \(listed(labels))")
      }
      targets[index] = 1
    }
    return targets
  }

  /// The probability of each label.
  func probabilities(_ scores: Slice<UnsafeBufferPointer<Float>>) -> [Double] {
    scores.map { Probabilities.sigmoid($0) }
  }

  func predict(_ scores: ScoreMatrix, into prediction: Prediction) throws {
    let probabilities = probabilities(scores[0])
    let given = zip(labels, probabilities).filter { $0.1 >= threshold }.map {
      PredictionValue.object([("label", .text($0.0)), ("probability", .number($0.1))])
    }
    try prediction.put(.list(given), as: "labels")
    try prediction.put(listed(labels, probabilities), as: "probabilities")
  }

  /// F1 over all decisions, its mean over labels, and the share of texts whose labels are all right. A label that
  /// neither occurs nor is given has F1 0, as in scikit-learn.
  func measure(_ evaluation: Evaluation) throws {
    var right = labels.map { _ in 0.0 }
    // Given and true, added up: F1 is twice the right ones divided by this.
    var total = right
    var wholes = 0.0
    for example in 0..<evaluation.count {
      let targets = evaluation.numbers(example)
      let given = probabilities(evaluation.scores(example)[0]).map { $0 >= threshold }
      for (label, isGiven) in given.enumerated() {
        if isGiven, targets[label] == 1 { right[label] += 1 }
        total[label] += (isGiven ? 1 : 0) + Double(targets[label])
      }
      if zip(given, targets).allSatisfy({ $0 == ($1 == 1) }) { wholes += 1 }
    }
    func f1(_ right: Double, _ total: Double) -> Double { total == 0 ? 0 : 2 * right / total }
    try evaluation.state("f1_micro", f1(right.reduce(0, +), total.reduce(0, +)))
    try evaluation.state(
      "f1_macro", zip(right, total).reduce(0) { $0 + f1($1.0, $1.1) } / Double(labels.count))
    try evaluation.state("subset_accuracy", wholes / Double(max(1, evaluation.count)))
  }
}
