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

  /// - Parameter context: what answers are parts of; nil for a row of token ids.
  /// - Returns: the best answer, nil where there is nothing to choose from, and all by their scores.
  func answers(
    _ scores: ScoreMatrix, _ example: Example, context: [UInt8]?
  ) -> (best: Answer?, all: [Answer]) {
    let tokens = example.tokens
    var best: [Range<Int>: Double] = [:]
    var none = Double.infinity
    for window in example.sequences where !window.isEmpty {
      func score(_ token: Int, _ side: Int) -> Double { Double(scores.values[token * scores.columns + side]) }
      none = min(none, score(window.lowerBound, 0) + score(window.lowerBound, 1))
      // A row of token ids does not say where its context is.
      let candidates =
        context == nil ? window.dropFirst().map { $0 } : window.filter { tokens[$0].field == 1 }
      let ends = top(candidates) { score($0, 1) }
      for start in top(candidates, by: { score($0, 0) }) {
        for end in ends where end >= start && end - start < maximumLength {
          let place =
            context.map { filled(tokens[start].bytes.lowerBound, tokens[end].bytes.upperBound, of: $0) }
            ?? start..<end + 1
          if place.isEmpty { continue }
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

  /// A part of the context without the blanks at both ends: a piece may begin at the blank in front of its word.
  private func filled(_ begin: Int, _ end: Int, of context: [UInt8]) -> Range<Int> {
    func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    let part = context[begin..<max(begin, end)]
    let rest = part.drop(while: isBlank)
    return rest.startIndex..<(rest.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? rest.startIndex)
  }

  /// The tokens that score most.
  private func top(_ tokens: [Int], by score: (Int) -> Double) -> [Int] {
    Array(tokens.sorted { (score($1), $0) < (score($0), $1) }.prefix(count))
  }
}
