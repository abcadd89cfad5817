import PTuneClassification
import PTuneFormats

/// Gold and predicted tags of words, and the entities that they spell.
struct EntityAnalysis {
  /// A text whose words have tags.
  struct Tagged {
    let words, gold, predicted: [String]

    init?(_ row: Prediction) {
      guard let words = row.prediction?["words"]?.arrayValue,
        let gold = (try? JSONValue.parse(row.gold))?.arrayValue?.compactMap(\.stringValue),
        gold.count == words.count
      else { return nil }
      self.words = words.map { $0["word"]?.stringValue ?? "" }
      self.gold = gold
      predicted = words.map { $0["tag"]?.stringValue ?? "O" }
    }
  }

  let metrics: EntityMetrics
  let rows: [LabelAnalysis.Row]

  init?(_ predictions: [Prediction]) {
    let texts = predictions.compactMap(Tagged.init)
    guard !texts.isEmpty, texts.count == predictions.count else { return nil }
    var metrics = EntityMetrics()
    var (right, wanted, found): ([String: Int], [String: Int], [String: Int]) = ([:], [:], [:])
    for text in texts {
      metrics.add(targets: text.gold, predicted: text.predicted)
      let (gold, got) = (Set(Entity.all(in: text.gold)), Set(Entity.all(in: text.predicted)))
      for entity in gold { wanted[entity.label, default: 0] += 1 }
      for entity in got { found[entity.label, default: 0] += 1 }
      for entity in gold.intersection(got) { right[entity.label, default: 0] += 1 }
    }
    self.metrics = metrics
    func ratio(_ a: Int, _ b: Int) -> Double { b == 0 ? 0 : Double(a) / Double(b) }
    rows = Set(wanted.keys).union(found.keys).sorted().map { label in
      let (hits, gold, got) = (right[label] ?? 0, wanted[label] ?? 0, found[label] ?? 0)
      return LabelAnalysis.Row(
        label: label, precision: ratio(hits, got), recall: ratio(hits, gold), f1: ratio(2 * hits, gold + got),
        support: gold)
    }
  }

  /// A text with its entities marked, once as the data has them and once as they were predicted.
  static func highlighted(_ text: Tagged) -> Markup {
    let (gold, got) = (Entity.all(in: text.gold), Entity.all(in: text.predicted))
    return .list([
      line("gold", text.words, gold) { _ in true }, line("predicted", text.words, got) { gold.contains($0) },
    ])
  }

  private static func line(
    _ name: String, _ words: [String], _ entities: [Entity], isRight: (Entity) -> Bool
  ) -> Markup {
    var parts = [Markup("span", ["class": "row-name"], text: name)]
    var place = 0
    for entity in entities.sorted(by: { $0.words.lowerBound < $1.words.lowerBound }) {
      guard entity.words.lowerBound >= place, entity.words.upperBound <= words.count else { continue }
      parts.append(.data(words[place..<entity.words.lowerBound].map { $0 + " " }.joined()))
      parts.append(
        Markup(
          "mark", ["class": isRight(entity) ? nil : "wrong"],
          [.data(words[entity.words].joined(separator: " ")), Markup("sub", text: entity.label)]))
      parts.append(Markup(" "))
      place = entity.words.upperBound
    }
    parts.append(.data(words[place...].joined(separator: " ")))
    return Markup("p", ["class": "tagged"], parts)
  }
}
