import PTuneClassification
import PTuneFormats
import PTuneTerminal

/// Gold and predicted labels of texts that have one each.
struct LabelAnalysis {
  let labels: [String]
  /// How often each gold label was given which label, those that were, by their places.
  let confusion: [Pair: Int]
  /// Examples with each gold label, and with each predicted one.
  private let gold, predicted: [Int]

  /// A gold label and the one that was given.
  struct Pair: Hashable {
    let gold, predicted: Int
  }

  /// Precision, recall and F1 of one label.
  struct Row: Equatable {
    let label: String
    let precision, recall, f1: Double
    /// Examples with this gold label.
    let support: Int
  }

  /// nil where predictions have no single label.
  init?(_ predictions: [Prediction], labels known: [String]) {
    var labels = known
    let pairs = predictions.compactMap { row in
      (row.prediction?["label"]?.stringValue).map { (gold: row.gold, predicted: $0) }
    }
    guard !pairs.isEmpty, pairs.count == predictions.count else { return nil }
    var places = Dictionary(zip(labels, labels.indices)) { first, _ in first }
    for label in pairs.flatMap({ [$0.gold, $0.predicted] }) where places[label] == nil {
      places[label] = labels.count
      labels.append(label)
    }
    var confusion: [Pair: Int] = [:]
    var (golds, predicteds) = (labels.map { _ in 0 }, labels.map { _ in 0 })
    for (gold, predicted) in pairs {
      let pair = Pair(gold: places[gold] ?? 0, predicted: places[predicted] ?? 0)
      confusion[pair, default: 0] += 1
      golds[pair.gold] += 1
      predicteds[pair.predicted] += 1
    }
    (self.labels, self.confusion, gold, self.predicted) = (labels, confusion, golds, predicteds)
  }

  var metrics: ConfusionMetrics {
    ConfusionMetrics(
      labels: labels.count,
      confusion.lazy.flatMap { pair, count in
        repeatElement((target: pair.gold, predicted: pair.predicted), count: count)
      })
  }

  private func count(_ gold: Int, _ predicted: Int) -> Int {
    confusion[Pair(gold: gold, predicted: predicted), default: 0]
  }

  var rows: [Row] {
    labels.indices.map { label in
      let right = Double(count(label, label))
      let (support, predicted) = (gold[label], predicted[label])
      func ratio(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }
      return Row(
        label: labels[label], precision: ratio(right, Double(predicted)),
        recall: ratio(right, Double(support)), f1: ratio(2 * right, Double(support + predicted)),
        support: support)
    }
  }
}

extension LabelAnalysis {
  /// More labels than this make a table that nobody can read; then the most frequent confusions are listed.
  static let matrixLimit = 24

  /// The confusion matrix, and a row for each label.
  func markup(id: String, of what: String, level: Int) -> Markup {
    .list([
      Markup("h\(level)", text: "Confusion"),
      labels.count <= Self.matrixLimit ? matrix(id, what) : pairs(id, what),
      Markup("h\(level)", text: "Labels"), Self.table(rows, id: "\(id)-labels", what),
    ])
  }

  private func matrix(_ id: String, _ what: String) -> Markup {
    HeatTable(
      id: "\(id)-confusion",
      caption:
        "How often \(what) of each label (rows) were given which label (columns). The darker, the larger the "
        + "share of the row; right answers are underlined.",
      corner: "gold ↓ predicted →", rows: labels, columns: labels,
      cell: { row, column in
        let (total, count) = (gold[row], count(row, column))
        return (NumberText.grouped(count), total == 0 ? 0 : Double(count) / Double(total))
      }, hasDiagonal: true
    ).markup
  }

  private func pairs(_ id: String, _ what: String) -> Markup {
    let wrong = confusion.filter { $0.key.gold != $0.key.predicted }.map { pair, count in
      (pair.gold, pair.predicted, count)
    }.sorted { ($1.2, $0.0, $0.1) < ($0.2, $1.0, $1.1) }
    return .table(
      id: "\(id)-confusion", caption: "The most frequent confusions among \(what).",
      header: ["gold", "predicted", "examples"], numbersFrom: 2,
      rows: wrong.prefix(30).map { gold, predicted, count in
        [.data(labels[gold]), .data(labels[predicted]), Markup(NumberText.grouped(count))]
      })
  }

  static func table(_ rows: [Row], id: String, _ what: String) -> Markup {
    .table(
      id: id, caption: "Precision, recall and F1 of each label over \(what).",
      header: ["label", "precision", "recall", "F1", "support"], numbersFrom: 1,
      rows: rows.map { row in
        [.data(row.label)]
          + [row.precision, row.recall, row.f1].map { Markup(NumberText.fixed($0, 4)) }
          + [Markup(NumberText.grouped(row.support))]
      })
  }
}
