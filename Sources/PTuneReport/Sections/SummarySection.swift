import PTuneFormats
import PTuneTerminal

/// What a run is and what it came to, at a glance.
struct SummarySection {
  let run: RunFolder
  let id: String
  var level = 2

  var section: Section {
    Section(
      id: id, title: level == 2 ? "Result" : "Result of \(run.name)", body: [facts, metrics], level: level)
  }

  private var facts: Markup {
    var facts: [Markup] = []
    func add(_ name: String, _ value: String, _ note: String?) {
      facts.append(
        Markup(
          "div",
          [
            Markup("dt", [.data(name)]),
            Markup("dd", [.data(value)] + (note.map { [Markup("small", text: $0)] } ?? [])),
          ]))
    }
    for task in run.tasks {
      guard let final = task.final else { continue }
      let name = metricName(final.primary)
      let majority = final.majority.map { "always the most frequent label: \(NumberText.fixed($0, 4))" }
      add(
        run.tasks.count > 1 ? "\(task.name): \(name)" : "\(name.prefix(1).uppercased())\(name.dropFirst())",
        NumberText.fixed(final.value, 4),
        "on \(NumberText.grouped(final.examples)) \(task.finalPart) examples"
          + (majority.map { "; \($0)" } ?? ""))
    }
    if let count = run.trainableParameters {
      add(
        "Trained parameters", NumberText.grouped(count),
        run.share.map { "\($0) of the model’s \(NumberText.grouped(run.baseParameters ?? 0))" })
    }
    if let bytes = run.adapterBytes { add("Adapter file", Self.size(bytes), nil) }
    if let seconds = run.seconds {
      add(
        "Training time", Self.duration(seconds),
        run.examplesPerSecond.map { "\(NumberText.fixed($0, 0)) examples per second in training steps" })
    }
    if let steps = run.results?["steps"]?.intValue, let best = run.bestStep {
      add("Steps", NumberText.grouped(steps), "the best adapter is of step \(NumberText.grouped(best))")
    }
    return facts.isEmpty
      ? Markup("p", text: "This training has not finished, so there is no result yet.")
      : Markup("dl", ["class": "facts"], facts)
  }

  /// All metrics of all tasks, measured on validation and test data.
  private var metrics: Markup {
    let tasks = run.tasks
    let names = tasks.flatMap { $0.final?.metrics.keys ?? [] }.reduce(into: [String]()) { names, name in
      if !names.contains(name) { names.append(name) }
    }
    guard !names.isEmpty else { return .none }
    var rows: [[Markup]] = []
    for task in tasks {
      for (part, measured) in [("validation", task.validation), ("test", task.test)] {
        guard let measured else { continue }
        let first = tasks.count > 1 ? Markup.list([.data(task.name), Markup(", \(part)")]) : Markup(part)
        rows.append(
          [first, Markup(NumberText.grouped(measured.examples))]
            + names.map { name in
              Markup(measured.metrics[name]?.doubleValue.map { NumberText.fixed($0, 4) } ?? "–")
            })
      }
    }
    return .list([
      Markup("h\(level + 1)", text: "Metrics"),
      .table(
        id: "\(id)-metrics", caption: "Results of the best adapter.",
        header: ["data", "examples"] + names.map(metricName), numbersFrom: 1, rows: rows),
    ])
  }

  /// "12.4 kB"; a thousand bytes each.
  static func size(_ bytes: Int) -> String {
    let number = Double(bytes)
    if number < 1000 { return "\(bytes) B" }
    return number < 1e6
      ? "\(NumberText.fixed(number / 1e3, number < 1e5 ? 1 : 0)) kB"
      : "\(NumberText.fixed(number / 1e6, 1)) MB"
  }

  /// "8.2 s", "3 min 20 s", "1 h 5 min".
  static func duration(_ seconds: Double) -> String {
    if seconds < 60 { return "\(NumberText.fixed(seconds, 1)) s" }
    let whole = Int(seconds.rounded())
    return whole < 3600
      ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}

/// A metric's name as people read it: "macro F1".
func metricName(_ name: String) -> String {
  let known = [
    "f1": "F1", "f1_macro": "macro F1", "f1_micro": "micro F1", "mcc": "Matthews correlation",
    "majority_class": "most frequent label", "mse": "mean squared error",
  ]
  return known[name] ?? String(name.map { $0 == "_" ? " " : $0 })
}
