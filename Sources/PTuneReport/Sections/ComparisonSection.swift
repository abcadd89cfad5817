import PTuneFormats
import PTuneTerminal

/// Methods beside each other: what each costs and how well it does, over its seeds.
struct ComparisonSection {
  let comparison: ComparisonFolder

  private typealias Row = ComparisonFolder.Row

  var section: Section {
    Section(
      id: "comparison", title: "Comparison",
      body: [results, costs, Markup("div", ["class": "charts"], charts)])
  }

  private var tasks: [ComparisonFolder.Task] { comparison.rows.first { !$0.tasks.isEmpty }?.tasks ?? [] }

  private func value(_ row: Row, _ task: String) -> ComparisonFolder.Task? {
    row.tasks.first { $0.name == task }
  }

  private func name(_ task: ComparisonFolder.Task) -> String {
    let metric = metricName(task.metric)
    return tasks.count > 1 ? "\(task.name): \(metric)" : metric
  }

  private func text(_ spread: ComparisonFolder.Spread?, _ digits: Int) -> String {
    guard let spread else { return "–" }
    let deviation = spread.deviation.map { " ± \(NumberText.fixed($0, digits))" } ?? ""
    return NumberText.fixed(spread.mean, digits) + deviation
  }

  private var results: Markup {
    let tasks = tasks
    let rows = comparison.rows.map { row -> [Markup] in
      let trained = row["trainable_parameters"]?.mean
      let share = trained.flatMap { count in
        row["base_parameters"].map { NumberText.percent(count / max(1, $0.mean)) }
      }
      var cells: [Markup] = [
        .data(row.label), Markup(trained.map { NumberText.grouped(Int($0)) } ?? "–"), Markup(share ?? "–"),
      ]
      cells += tasks.map { task in
        guard let own = value(row, task.name) else { return Markup(row.failed > 0 ? "failed" : "–") }
        let all = comparison.rows.compactMap { value($0, task.name)?.value.mean }
        let best = task.higherIsBetter ? all.max() : all.min()
        let shown = text(own.value, 4)
        return own.value.mean == best ? Markup("strong", ["class": "best"], text: shown) : Markup(shown)
      }
      return cells + [Markup("\(row.done)")]
    }
    let parts = Set(tasks.map(\.measuredOn)).sorted().joined(separator: " and ")
    return .table(
      id: "comparison-results",
      caption:
        "How well each method does on the \(parts) data, mean ± sample deviation over its seeds; the best mean is "
        + "set off.",
      header: ["method", "trained", "share"] + tasks.map(name) + ["trainings"], numbersFrom: 1, rows: rows)
  }

  private static let costs: [(key: String, header: String, scale: Double, digits: Int)] = [
    ("training_seconds", "training, s", 1, 1), ("examples_per_second", "examples/s", 1, 0),
    ("latency_seconds", "one text, ms", 1000, 2), ("inference_examples_per_second", "texts/s", 1, 0),
    ("training_peak_memory_bytes", "peak memory, MB", 1e-6, 0), ("adapter_bytes", "files, kB", 1e-3, 1),
  ]

  private var costs: Markup {
    let known = Self.costs.filter { cost in comparison.rows.contains { $0[cost.key] != nil } }
    return .table(
      id: "comparison-costs", caption: "What each method costs: means over its seeds.",
      header: ["method"] + known.map(\.header), numbersFrom: 1,
      rows: comparison.rows.map { row in
        [.data(row.label)]
          + known.map { cost in
            Markup(row[cost.key].map { NumberText.fixed($0.mean * cost.scale, cost.digits) } ?? "–")
          }
      })
  }

  private var charts: [Markup] {
    var charts: [Markup] = []
    for (index, task) in tasks.enumerated() {
      let measured = comparison.rows.compactMap { row in value(row, task.name).map { (row, $0) } }
      let bars = measured.map { row, own in
        BarChart.Bar(
          name: row.label, value: own.value.mean, deviation: own.value.deviation ?? 0,
          label: text(own.value, 4))
      }
      let title = name(task)
      charts.append(
        BarChart(
          id: "comparison-metric-\(index)", title: "\(title.prefix(1).uppercased())\(title.dropFirst())",
          description: bars.map { "\($0.name) \($0.label)" }.joined(separator: ", ") + ".", bars: bars,
          reference: task.majority.map { ("most frequent label", $0) }
        ).figure)
      let points = measured.compactMap { row, own in
        row["trainable_parameters"].map {
          ScatterChart.Point(x: $0.mean, y: own.value.mean, name: row.label)
        }
      }
      guard points.count > 1 else { continue }
      charts.append(
        ScatterChart(
          id: "comparison-size-\(index)", title: "… over trained parameters",
          description: points.map {
            "\($0.name): \(NumberText.grouped(Int($0.x))) parameters, \(NumberText.fixed($0.y, 4))"
          }.joined(separator: "; ") + ".",
          horizontal: "trained parameters", vertical: title, points: points, isLabelled: points.count <= 12,
          isLogarithmic: true
        ).figure)
    }
    charts += [losses]
    for cost in Self.costs where ["latency_seconds", "training_peak_memory_bytes"].contains(cost.key) {
      let bars = comparison.rows.compactMap { row in
        row[cost.key].map {
          BarChart.Bar(
            name: row.label, value: $0.mean * cost.scale,
            label: NumberText.fixed($0.mean * cost.scale, cost.digits))
        }
      }
      guard !bars.isEmpty else { continue }
      charts.append(
        BarChart(
          id: "comparison-" + (cost.key == "latency_seconds" ? "latency" : "memory"),
          title: cost.key == "latency_seconds" ? "Milliseconds for one text" : "Peak memory of training, MB",
          description: bars.map { "\($0.name) \($0.label)" }.joined(separator: ", ") + ".", bars: bars
        ).figure)
    }
    return charts
  }

  /// The losses of each row's first seed.
  private var losses: Markup {
    let series = comparison.rows.compactMap { row -> LineChart.Series? in
      guard let run = comparison.cells.first(where: { $0.label == row.label && $0.run != nil })?.run,
        !run.steps.isEmpty
      else { return nil }
      return LineChart.Series(
        name: row.label, points: LineChart.smoothed(run.steps.map { (Double($0.step), $0.loss) }))
    }
    guard !series.isEmpty else { return .none }
    return LineChart(
      id: "comparison-loss", title: "Loss of the first seed, smoothed",
      description: series.map { line in
        "\(line.name) ends at \(NumberText.fixed(line.points[line.points.count - 1].y, 4))"
      }.joined(separator: "; ") + ".",
      horizontal: "step", vertical: "loss", series: series
    ).figure
  }

  /// All trainings, with what failed and why.
  static func cells(_ comparison: ComparisonFolder) -> Section {
    let rows = comparison.cells.map { cell -> [Markup] in
      [
        .data(cell.label), Markup("\(cell.seed)"),
        Markup(cell.state + (cell.error.isEmpty ? "" : ": \(cell.error)")),
        Markup("code", [.data(cell.folder)]),
      ]
    }
    return Section(
      id: "trainings", title: "Trainings",
      body: [
        .table(
          id: "trainings-table", class: "wrapping",
          caption:
            "Each is a run folder; ptune report makes a page about one, with misclassified examples.",
          header: ["method", "seed", "state", "folder"], rows: rows)
      ])
  }
}
