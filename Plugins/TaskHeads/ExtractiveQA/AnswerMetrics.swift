/// Exact match and F1 over words, as the evaluation scripts of SQuAD 1.1 and 2.0 define them (Rajpurkar et al. 2016,
/// section 6.1; 2018, section 3).
struct AnswerMetrics {
  /// SQuAD 2.0: a question without gold answers wants none.
  let allowsNone: Bool
  private var withAnswer = Sums()
  private var withoutAnswer = Sums()

  private struct Sums {
    var count = 0.0
    var exact = 0.0
    var f1 = 0.0

    static func + (a: Sums, b: Sums) -> Sums {
      Sums(count: a.count + b.count, exact: a.exact + b.exact, f1: a.f1 + b.f1)
    }
  }

  init(allowsNone: Bool) { self.allowsNone = allowsNone }

  /// Adds a question; the gold answer that suits the prediction best counts.
  mutating func add(predicted: String, gold texts: [String]) {
    let predicted = NormalizedAnswer(predicted)
    var gold = texts.map { NormalizedAnswer($0) }
    if allowsNone {
      gold.removeAll { $0.words.isEmpty }
      if gold.isEmpty { gold = [NormalizedAnswer("")] }
    }
    let sums = Sums(
      count: 1, exact: gold.contains { $0.words == predicted.words } ? 1 : 0,
      f1: gold.map { predicted.f1(to: $0, whereEmpty: allowsNone ? 1 : 0) }.max() ?? 0)
    if texts.isEmpty { withoutAnswer = withoutAnswer + sums } else { withAnswer = withAnswer + sums }
  }

  /// Names and values, the one that counts first.
  var values: [(String, Double)] {
    func share(_ sum: Double, _ count: Double) -> Double { count == 0 ? 0 : sum / count }
    let all = withAnswer + withoutAnswer
    var values = [("f1", share(all.f1, all.count)), ("exact_match", share(all.exact, all.count))]
    guard allowsNone else { return values }
    if withAnswer.count > 0 {
      values.append(("has_answer_f1", share(withAnswer.f1, withAnswer.count)))
      values.append(("has_answer_exact_match", share(withAnswer.exact, withAnswer.count)))
    }
    if withoutAnswer.count > 0 {
      values.append(("no_answer_exact_match", share(withoutAnswer.exact, withoutAnswer.count)))
    }
    return values
  }
}

/// The words of an answer in small letters, without punctuation and articles.
struct NormalizedAnswer {
  let words: [[Unicode.Scalar]]

  init(_ text: String) {
    let punctuation = Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~".unicodeScalars)
    let kept = lowercase(text).filter { !punctuation.contains($0) }
    // What `\b(a|an|the)\b` of Python's `re` finds becomes a blank: an article may stand within what blanks surround.
    var scalars: [Unicode.Scalar] = []
    var rest = kept[...]
    while let first = rest.first {
      let run = rest.prefix { isWord($0) == isWord(first) }
      rest.removeFirst(run.count)
      if isWord(first), ["a", "an", "the"].contains(where: { $0.unicodeScalars.elementsEqual(run) }) {
        scalars.append(" ")
      } else {
        scalars += run
      }
    }
    words = scalars.split(whereSeparator: isBlank).map { Array($0) }
  }

  /// The harmonic mean of precision and recall over words, each counted as often as it occurs in both.
  ///
  /// - Parameter empty: the score of two answers without words.
  func f1(to gold: NormalizedAnswer, whereEmpty empty: Double) -> Double {
    if words.isEmpty, gold.words.isEmpty { return empty }
    var left: [[Unicode.Scalar]: Int] = [:]
    for word in gold.words { left[word, default: 0] += 1 }
    var common = 0.0
    for word in words where left[word, default: 0] > 0 {
      left[word, default: 0] -= 1
      common += 1
    }
    guard common > 0 else { return 0 }
    let precision = common / Double(words.count)
    let recall = common / Double(gold.words.count)
    return 2 * precision * recall / (precision + recall)
  }
}
