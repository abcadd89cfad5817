import PTuneFormats

/// A context in which the gold answer and the predicted one are marked.
struct AnswerText {
  let question: String
  let predicted: String
  let gold: [String]
  private let context: [UInt8]
  private let predictedPlace: Range<Int>?
  private let goldPlace: Range<Int>?

  /// Bytes of the context that are shown around the answers.
  private static let surroundings = 320

  /// nil for a row that is no question about a context.
  init?(_ row: Prediction) {
    guard let answer = row.prediction?["answer"]?.stringValue,
      let question = row.fields["question"] ?? row.fields["text"],
      let context = row.fields["context"] ?? row.fields["text_pair"]
    else { return nil }
    (self.question, predicted) = (question, answer)
    let bytes = Array(context.utf8)
    self.context = bytes
    let label = try? JSONValue.parse(row.gold)
    gold = (label?["text"]?.arrayValue ?? []).compactMap(\.stringValue)
    // Places count Unicode scalars.
    let begins = bytes.indices.filter { bytes[$0] & 0xC0 != 0x80 } + [bytes.count]
    func place(_ begin: Int?, _ end: Int?) -> Range<Int>? {
      guard let begin, let end, begin >= 0, begin < end, end < begins.count else { return nil }
      return begins[begin]..<begins[end]
    }
    predictedPlace = place(row.prediction?["begin"]?.intValue, row.prediction?["end"]?.intValue)
    let start = label?["answer_start"]?.arrayValue?.first?.intValue
    goldPlace = gold.first.flatMap { text in
      place(start, start.flatMap { $0 < begins.count ? $0 + text.unicodeScalars.count : nil })
    }
  }

  /// The context, cut to what is around the answers.
  var markup: Markup {
    let edges = [predictedPlace, goldPlace].compactMap { $0 }.flatMap { [$0.lowerBound, $0.upperBound] }
    guard let first = edges.min(), let last = edges.max() else {
      return .data(text(0..<boundary(min(context.count, 2 * Self.surroundings))))
    }
    let shown =
      boundary(max(0, first - Self.surroundings))..<boundary(min(context.count, last + Self.surroundings))
    let cuts = Set(edges + [shown.lowerBound, shown.upperBound]).filter {
      shown.contains($0) || $0 == shown.upperBound
    }
    .sorted()
    var parts = shown.lowerBound > 0 ? [Markup("… ")] : []
    for (begin, end) in zip(cuts, cuts.dropFirst()) {
      let isGold = goldPlace.map { $0.contains(begin) } ?? false
      let isPredicted = predictedPlace.map { $0.contains(begin) } ?? false
      let piece = Markup.data(text(begin..<end))
      switch (isGold, isPredicted) {
      case (true, true):
        parts.append(Markup("mark", ["class": "both", "title": "gold and predicted"], [piece]))
      case (true, false): parts.append(Markup("mark", ["title": "gold"], [piece]))
      case (false, true): parts.append(Markup("mark", ["class": "wrong", "title": "predicted"], [piece]))
      case (false, false): parts.append(piece)
      }
    }
    if shown.upperBound < context.count { parts.append(Markup(" …")) }
    return .list(parts)
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: context[range], as: UTF8.self) }

  /// The place, moved back until no character is torn.
  private func boundary(_ place: Int) -> Int {
    var place = place
    while place > 0, place < context.count, context[place] & 0xC0 == 0x80 { place -= 1 }
    return place
  }
}
