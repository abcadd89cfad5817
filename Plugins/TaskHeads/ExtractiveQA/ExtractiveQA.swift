import CPTune
import PTune

/// A span of the context: the row of each token -> linear -> a score as first and one as last token.
final class ExtractiveQA: ArrangingHead {
  static let scoreRows = ScoreRows.perToken
  static let scoreColumns = ["start_scores", "end_scores"]
  private let overlap: Int
  private let search: AnswerSearch
  private let dropout: Double
  private let outputs: Linear

  init(
    docStride: Int, maxAnswerLength: Int, nBest: Int, noAnswer: Bool, nullThreshold: Double, dropout: Double
  ) throws {
    overlap = docStride
    search = AnswerSearch(
      maximumLength: maxAnswerLength, count: nBest, allowsNone: noAnswer, threshold: nullThreshold)
    self.dropout = dropout
    outputs = try Linear("qa_outputs", inputs: Base.facts.hiddenSize, outputs: 2)
  }

  func arrange(_ example: Example, into arrangement: Arrangement) throws {
    guard let question = Question(example) else {
      throw ComponentFailure.badArgument(
        "the row needs a 'question' and a 'context'; 'fields' can name their columns")
    }
    try arrangement.windows(question.text, question.context, over: .second, overlap: overlap)
  }

  /// Integers: for each sequence the first and the last token of the answer, both 0 where it does not hold all of it.
  func encode(_ example: Example, into targets: Targets) throws {
    guard let question = Question(example) else {
      throw ComponentFailure.badArgument(
        "a row of token ids has no context in which to look for its answer")
    }
    let answers = try GoldAnswers(example, context: question.context)
    guard search.allowsNone || !answers.texts.isEmpty else {
      throw ComponentFailure.badArgument("the question has no answer; with 'no_answer: true' it may")
    }
    let tokens = example.tokens
    let spans = example.sequences.map { sequence -> [Int32] in
      guard let answer = answers.first,
        let first = sequence.last(where: {
          tokens[$0].field == 1 && tokens[$0].bytes.lowerBound <= answer.lowerBound
        }),
        let last = sequence.first(where: {
          tokens[$0].field == 1 && tokens[$0].bytes.upperBound >= answer.upperBound
        })
      else { return [0, 0] }
      // Of several tokens that spell one character in bytes each stands for the whole: the answer has all of them.
      return [min(first, last), max(first, last)].map { Int32($0 - sequence.lowerBound) }
    }
    try targets.emit(spans.flatMap { $0 })
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    outputs(hidden.rows(at: try batch.textRows()).dropout(dropout))
  }

  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    let targets = batch.integerTargets
    let losses = [0, 1].map { side in
      scores.columns(side..<side + 1).grouped(by: batch.offsets).crossEntropy(
        stride(from: side, to: targets.count, by: 2).map { targets[$0] })
    }
    return 0.5 * (losses[0] + losses[1])
  }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    let context = Question(example).map { Array($0.context.utf8) }
    let found = search.answers(scores, example, context: context)
    func members(_ answer: AnswerSearch.Answer) -> [(String, PredictionValue)] {
      var members: [(String, PredictionValue)] = [
        ("score", .number(answer.score)), ("probability", .number(answer.probability)),
      ]
      if let context { members.insert(("text", .text(answer.text(in: context))), at: 0) }
      guard let place = answer.place else { return members }
      guard let context else {
        return members + [
          ("first_token", .integer(place.lowerBound)), ("last_token", .integer(place.upperBound - 1)),
        ]
      }
      let scalars = scalarPlace(of: place, in: context)
      return members + [("begin", .integer(scalars.lowerBound)), ("end", .integer(scalars.upperBound))]
    }
    if let best = found.best {
      for (key, value) in members(best) { try prediction.put(value, as: key == "text" ? "answer" : key) }
    } else {
      try prediction.put("", as: "answer")
    }
    try prediction.put(.list(found.all.map { .object(members($0)) }), as: "n_best")
  }

  func measure(_ evaluation: Evaluation) throws {
    var metrics = AnswerMetrics(allowsNone: search.allowsNone)
    for index in 0..<evaluation.count {
      let example = try evaluation.example(index)
      guard let question = Question(example) else { continue }
      let context = Array(question.context.utf8)
      let best = search.answers(evaluation.scores(index), example, context: context).best
      metrics.add(
        predicted: best?.text(in: context) ?? "",
        gold: try GoldAnswers(example, context: question.context).texts)
    }
    for (name, value) in metrics.values { try evaluation.state(name, value) }
  }
}

/// What a row asks, and where the answer is.
struct Question {
  let text: String
  let context: String

  /// nil for a row without one of the two.
  init?(_ example: Example) {
    guard let text = example.field(anyOf: ["question", "text"]),
      let context = example.field(anyOf: ["context", "text_pair"])
    else { return nil }
    (self.text, self.context) = (text, context)
  }
}
