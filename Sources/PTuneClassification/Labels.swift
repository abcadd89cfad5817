import PTune

/// The labels of a head that gives each text one of them: what its rows, scores and evaluations mean.
package struct Labels {
  /// Their names; a label's place is its class.
  package let names: [String]

  /// Different labels.
  ///
  /// - Parameters:
  ///   - head: the head's name, for messages.
  ///   - minimum: how many there have to be; where exactly one is right, two.
  /// - Throws: `ComponentFailure` for fewer, or for one that stands twice.
  package init(_ names: [String], head: String, minimum: Int = 2) throws {
    guard names.count >= minimum, Set(names).count == names.count else {
      throw ComponentFailure.badArgument(
        "\(head) needs \(minimum == 1 ? "one" : "two") or more different labels, not \(names)")
    }
    self.names = names
  }

  /// The class of a label. Labels that nobody named are called LABEL_0, LABEL_1, …, and go by their numbers in data.
  package func index(of label: some StringProtocol) -> Int? {
    names.firstIndex { $0 == label } ?? names.firstIndex { $0 == "LABEL_\(label)" }
      // Rows have no blanks around their labels; names may.
      ?? names.firstIndex { trimmed($0) == label }
  }

  /// Emits the class of the row's field `label`.
  ///
  /// - Throws: `ComponentFailure` for a row without a label, or with another.
  package func encode(_ example: Example, into targets: Targets) throws {
    guard let label = example.field("label") else {
      throw ComponentFailure.badArgument("the row has no label")
    }
    guard let index = index(of: label) else {
      throw ComponentFailure.badArgument(
        "label '\(label)' is not one of \(names.joined(separator: ", "))")
    }
    try targets.emit([Int32(index)])
  }

  /// States the label with the highest score, and the softmax of all scores.
  package func predict(_ scores: ScoreMatrix, into prediction: Prediction) throws {
    let probabilities = softmax(scores[0])
    guard let best = probabilities.indices.max(by: { probabilities[$0] < probabilities[$1] }) else { return }
    try prediction.put(names[best], as: "label")
    try prediction.put(probabilities[best], as: "probability")
    try prediction.put(Array(zip(names, probabilities)), as: "probabilities")
  }

  /// States accuracy, macro F1, Matthews correlation and the share of the most frequent label.
  package func measure(_ evaluation: Evaluation) throws {
    // confusion[target][predicted]
    var confusion = Array(repeating: Array(repeating: 0.0, count: names.count), count: names.count)
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

  /// The weight of each label in the loss, from texts `label=weight`; nil without any.
  ///
  /// - Throws: `ComponentFailure` naming the text that says something else.
  package func classWeights(_ texts: [String]) throws -> [Float]? {
    if texts.isEmpty { return nil }
    var weights = names.map { _ in Float(1) }
    for text in texts {
      guard let (label, value) = assignment(text), let weight = Float(value), weight.isFinite, weight > 0
      else {
        throw ComponentFailure.badArgument(
          "class_weights: '\(text)' is not label=weight with a weight above 0")
      }
      guard let index = index(of: label) else {
        throw ComponentFailure.badArgument(
          "class_weights: '\(label)' is not one of \(names.joined(separator: ", "))")
      }
      weights[index] = weight
    }
    return weights
  }
}

/// What stands on both sides of the last `=`, as a label may hold one itself; nil without any.
package func assignment(_ text: String) -> (label: Substring, value: Substring)? {
  text.lastIndex(of: "=").map { (text[..<$0], text[text.index(after: $0)...]) }
}

private func softmax(_ row: Slice<UnsafeBufferPointer<Float>>) -> [Double] {
  let top = Double(row.max() ?? 0)
  let powers = row.map { exponential(Double($0) - top) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}

private func trimmed(_ text: String) -> Substring {
  let rest = text.drop(while: \.isWhitespace)
  return rest[..<(rest.lastIndex { !$0.isWhitespace }.map { rest.index(after: $0) } ?? rest.startIndex)]
}
