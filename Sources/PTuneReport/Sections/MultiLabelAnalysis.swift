import PTune
import PTuneFormats

/// Gold and predicted labels of texts that have any number of them.
struct MultiLabelAnalysis {
  let rows: [LabelAnalysis.Row]

  /// - Parameter separator: what stands between labels in the data; empty where they are a JSON list.
  init?(_ predictions: [Prediction], labels: [String], separator: String) {
    guard !predictions.isEmpty, predictions.allSatisfy({ $0.prediction?["labels"]?.arrayValue != nil }) else {
      return nil
    }
    var right = labels.map { _ in 0 }
    var (gold, given) = (right, right)
    for row in predictions {
      let wanted = Self.gold(row, separator: separator)
      let found = Self.predicted(row)
      for (index, label) in labels.enumerated() {
        let (isWanted, isGiven) = (wanted.contains(label), found.contains(label))
        gold[index] += isWanted ? 1 : 0
        given[index] += isGiven ? 1 : 0
        right[index] += isWanted && isGiven ? 1 : 0
      }
    }
    func ratio(_ a: Int, _ b: Int) -> Double { b == 0 ? 0 : Double(a) / Double(b) }
    rows = labels.indices.map { index in
      LabelAnalysis.Row(
        label: labels[index], precision: ratio(right[index], given[index]),
        recall: ratio(right[index], gold[index]), f1: ratio(2 * right[index], gold[index] + given[index]),
        support: gold[index])
    }
  }

  static func gold(_ row: Prediction, separator: String) -> [String] {
    if separator.isEmpty {
      return ((try? JSONValue.parse(row.gold))?.arrayValue ?? []).compactMap(\.stringValue)
    }
    return row.gold.parts(separatedBy: separator)
  }

  static func predicted(_ row: Prediction) -> [String] {
    (row.prediction?["labels"]?.arrayValue ?? []).compactMap { $0["label"]?.stringValue }
  }
}
