import PTune
import PTuneLibc

/// The best spans of a row's windows, as BERT's authors search them (Devlin et al. 2019, sections 4.2 and 4.3).
struct AnswerSearch {
  /// Tokens that an answer may have.
  let maximumLength: Int
  /// How many starts, ends and answers are looked at.
  let count: Int
  /// Whether a question may be without an answer.
  let allowsNone: Bool
  /// How much more no answer has to score than the best one.
  let threshold: Double

  struct Answer {
    /// Bytes of the context, or tokens where there is none; nil for no answer.
    let place: Range<Int>?
    let score: Double
    /// Among all answers that were found.
    var probability = 0.0

    func text(in context: [UInt8]) -> String {
      place.map { String(decoding: context[$0], as: UTF8.self) } ?? ""
    }
  }

  /// - Returns: the best answer, nil where there is nothing to choose from, and all by their scores.
  func answers(_ scores: ScoreMatrix, _ example: Example) -> (best: Answer?, all: [Answer]) {
    let tokens = example.tokens
    // A row of token ids does not say where its context is. NB: a context without a token is one all the same: places
    // are bytes of it, so there is none.
    let hasContext = Question(example) != nil
    var best: [Range<Int>: Double] = [:]
    var none = Double.infinity
    for window in example.sequences where !window.isEmpty {
      func score(_ token: Int, _ side: Int) -> Double { Double(scores.values[token * scores.columns + side]) }
      none = min(none, score(window.lowerBound, 0) + score(window.lowerBound, 1))
      let candidates = hasContext ? window.filter { tokens[$0].field == 1 } : window.dropFirst().map { $0 }
      let ends = top(candidates) { score($0, 1) }
      for start in top(candidates, by: { score($0, 0) }) {
        for end in ends where end >= start && end - start < maximumLength {
          let place =
            hasContext ? tokens[start].bytes.lowerBound..<tokens[end].bytes.upperBound : start..<end + 1
          best[place] = max(best[place] ?? -.infinity, score(start, 0) + score(end, 1))
        }
      }
    }
    var all = best.map { Answer(place: $0.key, score: $0.value) }
      .sorted {
        ($1.score, $0.place!.lowerBound, $0.place!.upperBound) < (
          $0.score, $1.place!.lowerBound, $1.place!.upperBound
        )
      }
    all = Array(all.prefix(count))
    let given = all.first
    if allowsNone, none.isFinite {
      let place = all.firstIndex { $0.score < none } ?? all.count
      all.insert(Answer(place: nil, score: none), at: place)
    }
    let sum = all.reduce(0) { $0 + exp($1.score - all[0].score) }
    for index in all.indices { all[index].probability = exp(all[index].score - all[0].score) / sum }
    let isNone = allowsNone && none - (given?.score ?? -.infinity) > threshold
    return (all.first { ($0.place == nil) == (isNone || given == nil) }, all)
  }

  /// The tokens that score most.
  private func top(_ tokens: [Int], by score: (Int) -> Double) -> [Int] {
    Array(tokens.sorted { (score($1), $0) < (score($0), $1) }.prefix(count))
  }
}
