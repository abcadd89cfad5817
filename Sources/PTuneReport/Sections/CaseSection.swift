import PTuneFormats
import PTuneTerminal

/// The examples that went wrong, with what was expected, what was said instead, and how sure.
struct CaseSection {
  let task: RunTask
  let id: String
  /// What stands between labels in the data, for heads of several labels.
  var labelSeparator = ""

  /// Examples that are shown.
  static let limit = 20

  func markup(level: Int) -> Markup {
    let predictions = task.predictions
    guard !predictions.isEmpty else { return .none }
    let (wrong, order) = ranked
    let heading = Markup(
      "h\(level)", text: task.isLanguageModel ? "Hardest texts" : "Misclassified examples")
    guard !wrong.isEmpty else {
      return .list([heading, Markup("p", text: "None of \(task.predictionsOf).")])
    }
    let shown = wrong.prefix(Self.limit)
    let counts = "\(NumberText.grouped(wrong.count)) of \(task.predictionsOf)"
    let hint =
      task.isLanguageModel || task.isRegression
      ? "\(shown.count) of \(task.predictionsOf), \(order)."
      : "\(counts) went wrong"
        + (shown.count < wrong.count ? "; the first \(shown.count), \(order)." : ", \(order).")
    return .list([
      heading, Markup("p", ["class": "hint"], text: hint),
      Markup("ol", ["class": "cases", "id": "\(id)-cases"], shown.map { Markup("li", row($0)) }),
    ])
  }

  /// Those that went wrong, worst first, and what that order is.
  private var ranked: ([Prediction], String) {
    func sorted(_ rows: [Prediction], by key: (Prediction) -> Double) -> [Prediction] {
      rows.enumerated().sorted { (key($1.element), $0.offset) < (key($0.element), $1.offset) }.map(\.element)
    }
    let rows = task.predictions
    if task.isLanguageModel {
      return (sorted(rows) { $0.metric("perplexity") ?? 0 }, "by perplexity")
    }
    if task.isRegression { return (sorted(rows) { $0.metric("mse") ?? 0 }, "by squared error") }
    let key = ["exact_match", "subset_accuracy", "accuracy"].first { rows[0].metrics[$0] != nil }
    let wrong = rows.filter { row in key.flatMap { row.metric($0) }.map { $0 < 1 } ?? false }
    if rows[0].prediction?["words"] != nil {
      return (sorted(wrong) { -($0.metric("f1") ?? 0) }, "least F1 first")
    }
    if rows[0].prediction?["probability"] != nil {
      return (sorted(wrong) { $0.prediction?["probability"]?.doubleValue ?? 0 }, "the surest first")
    }
    return (wrong, "in the order of the file")
  }

  private func row(_ row: Prediction) -> [Markup] {
    if let text = EntityAnalysis.Tagged(row) {
      return [EntityAnalysis.highlighted(text), verdict(row, [("F1", number(row.metric("f1")))])]
    }
    if let answer = AnswerText(row) {
      return [
        Markup("p", [Markup("strong", [.data(answer.question)])]), Markup("p", [answer.markup]),
        verdict(
          row,
          [
            ("gold", answer.gold.isEmpty ? "no answer" : answer.gold.joined(separator: " | ")),
            ("predicted", answer.predicted.isEmpty ? "no answer" : answer.predicted),
            ("probability", number(row.prediction?["probability"]?.doubleValue)),
            ("F1", number(row.metric("f1"))),
          ]),
      ]
    }
    let texts = [row.fields["text"], row.fields["text_pair"] ?? row.fields["question"]].compactMap { $0 }
    let paragraphs = texts.map { Markup("p", [.data(Self.cut($0))]) }
    return paragraphs + [verdict(row, facts(row))]
  }

  private func facts(_ row: Prediction) -> [(String, String?)] {
    let probability = number(row.prediction?["probability"]?.doubleValue)
    if task.isLanguageModel { return [("perplexity", number(row.metric("perplexity")))] }
    if task.isRegression {
      return [("gold", row.gold), ("predicted", number(row.prediction?["value"]?.doubleValue))]
    }
    if let label = row.prediction?["label"]?.stringValue {
      return [
        ("gold", row.gold), ("predicted", label), ("probability", probability),
        ("of the gold label", number(row.prediction?["probabilities"]?[row.gold]?.doubleValue)),
      ]
    }
    if row.prediction?["labels"] != nil {
      let gold = MultiLabelAnalysis.gold(row, separator: labelSeparator)
      let predicted = MultiLabelAnalysis.predicted(row)
      return [
        ("gold", gold.isEmpty ? "none" : gold.joined(separator: ", ")),
        ("predicted", predicted.isEmpty ? "none" : predicted.joined(separator: ", ")),
      ]
    }
    if let choice = row.prediction?["choice"]?.intValue {
      let text = row.prediction?["text"]?.stringValue ?? ""
      return [("gold", row.gold), ("predicted", "\(choice) \(text)"), ("probability", probability)]
    }
    return row.metrics.map { ($0.0, number($0.1.doubleValue)) }
  }

  private func verdict(_ row: Prediction, _ facts: [(String, String?)]) -> Markup {
    let parts = facts.compactMap { name, value in
      value.map {
        Markup.list([Markup("\(name) "), Markup("strong", [.data(Self.cut($0))]), Markup("  ·  ")])
      }
    }
    return Markup("p", ["class": "verdict"], parts + [Markup("line \(row.line)")])
  }

  private func number(_ value: Double?) -> String? { value.map { NumberText.fixed($0, 4) } }

  private static func cut(_ text: String) -> String {
    text.unicodeScalars.count > 1200 ? String(text.unicodeScalars.prefix(1200)) + " …" : text
  }
}

extension RunTask {
  /// Whether texts are rated by how probable they are.
  var isLanguageModel: Bool { final?.metrics["perplexity"] != nil }
  /// Whether a text gets a number.
  var isRegression: Bool { final?.metrics["mse"] != nil }
}
