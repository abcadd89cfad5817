import CPTune
import PTune
import PTuneLibc

/// One of a row's choices: a sequence for each -> pooled row -> linear -> softmax over the row's choices.
final class MultipleChoice: ArrangingHead {
  static let scoreRows = ScoreRows.perSequence
  private let pooling: Pooling
  private let usesPooler: Bool
  private let dropout: Double
  private let classifier: Linear

  init(pooling: String, basePooler: Bool, dropout: Double) throws {
    self.pooling = try Pooling(named: pooling)
    usesPooler = basePooler
    self.dropout = dropout
    classifier = try Linear("classifier", inputs: Base.facts.hiddenSize, outputs: 1)
  }

  func arrange(_ example: Example, into arrangement: Arrangement) throws {
    guard let question = example.field(anyOf: ["question", "text"]) else {
      throw ComponentFailure.badArgument(
        "the row has no 'question'; 'fields' can name its column")
    }
    let start = example.field("start").map { $0 + " " } ?? ""
    for choice in try Choices(example).texts { try arrangement.input(question, start + choice) }
  }

  /// The index of the right choice.
  func encode(_ example: Example, into targets: Targets) throws {
    guard let label = example.field("label") else {
      throw ComponentFailure.badArgument("the row has no label")
    }
    try targets.emit([Int32(try Choices(example).index(of: label))])
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    var x = try pooling.rows(of: hidden, batch)
    if usesPooler { x = Base.pooler(x) }
    return classifier(x.dropout(dropout))
  }

  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    scores.grouped(by: batch.exampleOffsets).crossEntropy(batch.integerTargets)
  }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    guard let best = best(scores.values) else { return }
    let powers = scores.values.map { exp(Double($0) - Double(scores.values[best])) }
    let probabilities = powers.map { $0 / powers.reduce(0, +) }
    try prediction.put(.integer(best), as: "choice")
    // A row of token ids has no texts.
    if let choices = try? Choices(example) { try prediction.put(choices.texts[best], as: "text") }
    try prediction.put(probabilities[best], as: "probability")
    try prediction.put(.list(probabilities.map { .number($0) }), as: "probabilities")
  }

  func measure(_ evaluation: Evaluation) throws {
    let right = (0..<evaluation.count).count {
      best(evaluation.scores($0).values) == evaluation.integers($0).first.map(Int.init)
    }
    try evaluation.state("accuracy", Double(right) / Double(max(1, evaluation.count)))
  }

  private func best(_ scores: UnsafeBufferPointer<Float>) -> Int? {
    scores.indices.max { scores[$0] < scores[$1] }
  }
}

/// What a row lets one choose from.
struct Choices {
  let texts: [String]
  private let names: [String]

  /// Reads `choices`, or `choice0`, `choice1`, … up to the first that the row does not have. Where the run names columns
  /// for some of these, there are no others.
  ///
  /// - Throws: `ComponentFailure` for a row without choices.
  init(_ example: Example) throws {
    let named = Set(example.list("named_fields") ?? []).filter { $0.hasPrefix("choice") && $0 != "choices" }
    if named.isEmpty, let choices = example.json("choices") {
      guard let texts = (choices["text"] ?? choices).all(\.text), !texts.isEmpty else {
        throw ComponentFailure.badArgument("'choices' is not a JSON list of texts, such as [\"yes\", \"no\"]")
      }
      self.texts = texts
      names = choices["label"]?.all(\.text) ?? []
    } else {
      var texts: [String] = []
      while named.isEmpty || named.contains("choice\(texts.count)"),
        let text = example.field("choice\(texts.count)")
      {
        texts.append(text)
      }
      guard !texts.isEmpty else {
        throw ComponentFailure.badArgument(
          "the row has neither a JSON list 'choices' nor 'choice0'; 'fields' can name their columns")
      }
      (self.texts, names) = (texts, [])
    }
  }

  /// - Throws: `ComponentFailure` for a label that is no choice.
  func index(of label: String) throws -> Int {
    let index = names.firstIndex(of: label) ?? Int(label) ?? texts.firstIndex(of: label)
    guard let index, texts.indices.contains(index) else {
      throw ComponentFailure.badArgument("label '\(label)' is not one of the row's \(texts.count) choices")
    }
    return index
  }
}
