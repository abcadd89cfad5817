import PTuneFormats
import PTuneTerminal

/// What the best adapter does on the held-out data of a task.
struct TaskSection {
  let run: RunFolder
  let task: RunTask
  let id: String
  let level: Int

  var section: Section {
    Section(
      id: id, title: title, body: [analysis, scatter, pool, cases, samples], level: level)
  }

  private var title: String {
    let alone = run.tasks.count == 1 ? "Held-out examples" : "Task \(task.name)"
    return level == 2 ? alone : "\(alone) of \(run.name)"
  }

  private var separator: String {
    let tasks = run.adapter?["ptune"]?["tasks"]?.arrayValue ?? []
    let own = tasks.first { $0["name"]?.stringValue == task.name }
    return own?["head"]?["hyperparameters"]?["label_separator"]?.stringValue ?? ""
  }

  private var analysis: Markup {
    let what = task.predictionsOf
    if let analysis = LabelAnalysis(task.predictions, labels: task.labels) {
      return analysis.markup(id: id, of: what, level: level + 1)
    }
    if let analysis = MultiLabelAnalysis(task.predictions, labels: task.labels, separator: separator) {
      return .list([
        Markup("h\(level + 1)", text: "Labels"), LabelAnalysis.table(analysis.rows, id: "\(id)-labels", what),
      ])
    }
    if let analysis = EntityAnalysis(task.predictions) {
      return .list([
        Markup("h\(level + 1)", text: "Entities"),
        LabelAnalysis.table(analysis.rows, id: "\(id)-labels", what),
      ])
    }
    return .none
  }

  private var scatter: Markup {
    guard task.isRegression else { return .none }
    let points = task.predictions.compactMap { row -> ScatterChart.Point? in
      guard let gold = Double(row.gold), let value = row.prediction?["value"]?.doubleValue else { return nil }
      return ScatterChart.Point(
        x: gold, y: value, name: "gold \(row.gold), predicted \(NumberText.fixed(value, 4))")
    }
    guard !points.isEmpty else { return .none }
    return ScatterChart(
      id: "\(id)-scatter", title: "Predicted over gold values",
      description: "A point for each of \(task.predictionsOf); on the dotted line both values are the same.",
      horizontal: "gold", vertical: "predicted", points: points, hasDiagonal: true
    ).figure
  }

  /// Which entries of the pool serve which labels.
  private var pool: Markup {
    guard let selection = run.selection?["tasks"]?[task.name] ?? task.final?.selection else { return .none }
    return PoolTable(selection, id: "\(id)-pool")?.markup(level: level + 1) ?? .none
  }

  private var cases: Markup {
    CaseSection(task: task, id: id, labelSeparator: separator).markup(level: level + 1)
  }

  private var samples: Markup {
    guard !task.samples.isEmpty else { return .none }
    let items = task.samples.map { sample in
      Markup(
        "li",
        [
          line("prompt", sample.prompt), line("generated", sample.text), line("in the data", sample.expected),
          Markup(
            "p", ["class": "verdict"],
            text: sample.finish == "length" ? "truncated after its first tokens" : "ended by \(sample.finish)"
          ),
        ])
    }
    return .list([
      Markup("h\(level + 1)", text: "What it writes"),
      Markup(
        "p", ["class": "hint"],
        text: "The most probable continuations of the first held-out texts, next to the actual ones."),
      Markup("ol", ["class": "cases", "id": "\(id)-samples"], items),
    ])
  }

  private func line(_ name: String, _ text: String) -> Markup {
    Markup("p", [Markup("span", ["class": "row-name"], text: name), .data(text)])
  }
}

/// Which entries of a pool were chosen, for all examples and for those of each label.
struct PoolTable {
  let id: String
  private let groups: [(name: String, examples: Int, weights: [Double])]

  /// - Parameter selection: as selection.json has it.
  init?(_ selection: JSONValue, id: String) {
    self.id = id
    func group(_ name: String, _ json: JSONValue) -> (name: String, examples: Int, weights: [Double])? {
      guard let examples = json["examples"]?.intValue,
        let weights = json["mean_weight"]?.arrayValue?.map({ $0.doubleValue ?? 0 })
      else { return nil }
      return (name, examples, weights)
    }
    let labels = (selection["labels"]?.objectValue ?? JSONObject()).compactMap { group($0.0, $0.1) }
    guard let all = group("all", selection), !all.weights.isEmpty else { return nil }
    groups = [all] + labels
  }

  func markup(level: Int) -> Markup {
    let entries = groups[0].weights.indices
    let largest = groups.flatMap(\.weights).max() ?? 1
    return .list([
      Markup("h\(level)", text: "Use of the pool"),
      HeatTable(
        id: id,
        caption:
          "The mean weight of each entry of the pool in the validation of the best adapter, over all examples and "
          + "over those of each label. The darker, the larger.",
        corner: "entry", rows: entries.map { "\($0)" },
        columns: groups.map { "\($0.name) (\(NumberText.grouped($0.examples)))" },
        cell: { entry, group in
          let weight = groups[group].weights[entry]
          return (NumberText.fixed(weight, 3), largest > 0 ? weight / largest : 0)
        }
      ).markup,
    ])
  }
}
