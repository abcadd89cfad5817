import CPTune
import PTune
import PTuneClassification

/// A tag per word: the row of each token -> linear -> softmax; the first piece of a word speaks for it.
final class TokenClassification: TaskHead {
  static let scoreRows = ScoreRows.perToken
  /// The tag of what is no entity.
  private static let outside = "O"
  private let labels: [String]
  private let labelsAllPieces: Bool
  private let dropout: Double
  private let classifier: Linear

  init(labels: [String], labelAllPieces: Bool, dropout: Double) throws {
    guard labels.count >= 2, Set(labels).count == labels.count, !labels.contains("") else {
      throw ComponentFailure.badArgument(
        "token-classification needs two or more different tags, not \(labels)")
    }
    self.labels = labels
    labelsAllPieces = labelAllPieces
    self.dropout = dropout
    classifier = try Linear(
      "classifier", inputs: Base.facts.hiddenSize, outputs: labels.count, bias: .zeros)
  }

  /// Integers: the tag of each token, -1 for those that do not count. Numbers, for `measure`: the tag of each word,
  /// then for each token the word that it is the first piece of, or -1.
  func encode(_ example: Example, into targets: Targets) throws {
    let words = try WordAlignment(example)
    guard let tags = example.list("label") else {
      throw ComponentFailure.badArgument(
        "the row's label is not a JSON list of tags, such as [\"O\", \"B-PER\"]")
    }
    guard tags.count == words.count else {
      throw ComponentFailure.badArgument("the row has \(words.count) words, but \(tags.count) tags")
    }
    let indices = try tags.map { tag in
      guard let index = labels.firstIndex(of: tag) else {
        throw ComponentFailure.badArgument("tag '\(short(tag))' is not one of \(listed(labels))")
      }
      return index
    }
    let tokens = words.ofToken.enumerated().map { token, word -> Int32 in
      guard let word else { return -1 }
      if words.firstToken[word] == token { return Int32(indices[word]) }
      return labelsAllPieces ? Int32(continuing(indices[word])) : -1
    }
    try targets.emit(tokens)
    let firsts = words.ofToken.enumerated().map { token, word in
      word.map { words.firstToken[$0] == token ? Float($0) : -1 } ?? -1
    }
    try targets.emit(indices.map { Float($0) } + firsts)
  }

  /// The tag of a word's further pieces: I-PER after B-PER.
  private func continuing(_ index: Int) -> Int {
    labels[index] == Self.outside ? index : labels.firstIndex(of: "I" + labels[index].dropFirst()) ?? index
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    classifier(hidden.rows(at: try batch.textRows()).dropout(dropout))
  }

  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    scores.crossEntropy(batch.integerTargets)
  }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    guard example.field("text") != nil else {
      return try prediction.put(.list((0..<scores.rows).map { .text(best(scores[$0])) }), as: "tags")
    }
    let words = try WordAlignment(example)
    let tags = words.firstToken.map { $0.map { best(scores[$0]) } ?? Self.outside }
    try prediction.put(
      .list(zip(words.texts, tags).map { .object([("word", .text($0)), ("tag", .text($1))]) }), as: "words")
    let entities = Entity.all(in: tags).map { entity -> PredictionValue in
      let begin = words.bytes[entity.words.lowerBound].lowerBound
      let end = words.bytes[entity.words.upperBound - 1].upperBound
      let place = words.scalars(begin..<end)
      return .object([
        ("text", .text(words.original(begin..<end))), ("label", .text(entity.label)),
        ("begin", .integer(place.lowerBound)), ("end", .integer(place.upperBound)),
      ])
    }
    try prediction.put(.list(entities), as: "entities")
  }

  private func best(_ row: Slice<UnsafeBufferPointer<Float>>) -> String {
    row.indices.max { row[$0] < row[$1] }.map { labels[$0 - row.startIndex] } ?? Self.outside
  }

  func measure(_ evaluation: Evaluation) throws {
    var metrics = EntityMetrics()
    for example in 0..<evaluation.count {
      let scores = evaluation.scores(example)
      let targets = evaluation.numbers(example)
      // What encode emitted: the words' tags, then a word or -1 for each token.
      let words = targets.count - scores.rows
      guard words >= 0 else { continue }
      var predicted = Array(repeating: Self.outside, count: words)
      for token in 0..<scores.rows where targets[words + token] >= 0 {
        predicted[Int(targets[words + token])] = best(scores[token])
      }
      metrics.add(targets: targets[..<words].map { labels[Int($0)] }, predicted: predicted)
    }
    try evaluation.state("f1", metrics.f1)
    try evaluation.state("precision", metrics.precision)
    try evaluation.state("recall", metrics.recall)
    try evaluation.state("accuracy", metrics.accuracy)
  }
}
