import PTune

/// The labels of a head that gives each text one of them: what its rows, scores and evaluations mean.
public struct Labels {
  /// Their names; a label's place is its class.
  public let names: [String]
  private let places: [String: Int]

  /// Different labels.
  ///
  /// - Parameters:
  ///   - head: the head's name, for messages.
  ///   - minimum: how many there have to be; where exactly one is right, two.
  /// - Throws: `ComponentFailure` for fewer, or for one that occurs twice.
  public init(_ names: [String], head: String, minimum: Int = 2) throws {
    guard names.count >= minimum, Set(names).count == names.count else {
      throw ComponentFailure.badArgument(
        "\(head) needs \(minimum == 1 ? "one" : "two") or more different labels, not [\(listed(names))]")
    }
    self.names = names
    // Rows have no blanks around their labels; names may.
    let spellings = names + names.map { Self.trimmed($0) }
    places = Dictionary(zip(spellings, Array(names.indices) + Array(names.indices))) { first, _ in first }
  }

  /// The class of a label. Labels that nobody named are called LABEL_0, LABEL_1, …, and go by their numbers in data.
  public func index(of label: some StringProtocol) -> Int? {
    places[String(label)] ?? places["LABEL_\(label)"]
  }

  /// Emits the class of the row's field `label`.
  ///
  /// - Throws: `ComponentFailure` for a row without a label, or with another.
  public func encode(_ example: Example, into targets: Targets) throws {
    guard let label = example.field("label") else {
      throw ComponentFailure.badArgument("the row has no label")
    }
    guard let index = index(of: label) else {
      throw ComponentFailure.badArgument(
        "label '\(short(label))' is not one of \(listed(names))")
    }
    try targets.emit([Int32(index)])
  }

  /// States the label with the highest score, and the softmax of all scores.
  public func predict(_ scores: ScoreMatrix, into prediction: Prediction) throws {
    let probabilities = Probabilities.softmax(scores[0])
    guard let best = probabilities.indices.max(by: { probabilities[$0] < probabilities[$1] }) else { return }
    try prediction.put(names[best], as: "label")
    try prediction.put(probabilities[best], as: "probability")
    try prediction.put(listed(names, probabilities), as: "probabilities")
  }

  /// States accuracy, macro F1, Matthews correlation and the share of the most frequent label.
  public func measure(_ evaluation: Evaluation) throws {
    let metrics = ConfusionMetrics(
      labels: names.count,
      (0..<evaluation.count).lazy.compactMap { example in
        let row = evaluation.scores(example)[0]
        guard let target = evaluation.integers(example).first,
          let best = row.indices.max(by: { row[$0] < row[$1] })
        else { return nil }
        return (target: Int(target), predicted: best - row.startIndex)
      })
    try evaluation.state("accuracy", metrics.accuracy)
    try evaluation.state("f1_macro", metrics.macroF1)
    try evaluation.state("mcc", metrics.matthews)
    try evaluation.state("majority_class", metrics.majorityShare)
  }

  /// The weight of each label in the loss, from texts `label=weight`; nil without any.
  ///
  /// - Throws: `ComponentFailure` naming the text that says something else.
  public func classWeights(_ texts: [String]) throws -> [Float]? {
    if texts.isEmpty { return nil }
    var weights = names.map { _ in Float(1) }
    for text in texts {
      guard let (label, value) = Self.assignment(text), let weight = Float(value), weight.isFinite, weight > 0
      else {
        throw ComponentFailure.badArgument(
          "class_weights: '\(text)' is not label=weight with a weight above 0")
      }
      guard let index = index(of: label) else {
        throw ComponentFailure.badArgument(
          "class_weights: '\(short(label))' is not one of \(listed(names))")
      }
      weights[index] = weight
    }
    return weights
  }
}

extension Labels {
  /// What stands on both sides of the last `=` of `label=value`, as a label may hold one itself; nil without any.
  public static func assignment(_ text: String) -> (label: Substring, value: Substring)? {
    text.lastIndex(of: "=").map { (text[..<$0], text[text.index(after: $0)...]) }
  }

  private static func trimmed(_ text: String) -> String {
    let rest = text.drop(while: \.isWhitespace)
    return String(
      rest[..<(rest.lastIndex { !$0.isWhitespace }.map { rest.index(after: $0) } ?? rest.startIndex)])
  }
}
