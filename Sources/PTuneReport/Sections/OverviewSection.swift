import PTuneTerminal

/// Several runs beside each other.
struct OverviewSection {
  let runs: [RunFolder]
  let names: [String]

  var section: Section {
    Section(id: "overview", title: "Overview", body: [table, Markup("div", ["class": "charts"], charts)])
  }

  /// The tasks that any run has, with the metric that counts.
  private var tasks: [(name: String, metric: String)] {
    var tasks: [(name: String, metric: String)] = []
    for task in runs.flatMap(\.tasks) {
      guard let final = task.final, !tasks.contains(where: { $0.name == task.name }) else { continue }
      tasks.append((task.name, final.primary))
    }
    return tasks
  }

  private func final(_ run: RunFolder, _ task: String) -> RunTask.Measured? {
    run.tasks.first { $0.name == task }?.final
  }

  private var table: Markup {
    let tasks = tasks
    let header =
      ["run", "method", "trained", "share"]
      + tasks.map { tasks.count > 1 ? "\($0.name): \(metricName($0.metric))" : metricName($0.metric) }
      + ["time", "examples/s", "file"]
    let rows = zip(runs, names).map { run, name in
      var row: [Markup] = [
        .data(name), .data(run.method), Markup(run.trainableParameters.map(NumberText.grouped) ?? "–"),
        Markup(run.share ?? "–"),
      ]
      row += tasks.map { task in
        guard let measured = final(run, task.name) else { return Markup("–") }
        let values = runs.compactMap { final($0, task.name)?.value }.filter { !$0.isNaN }
        let best = measured.higherIsBetter ? values.max() : values.min()
        let text = NumberText.fixed(measured.value, 4)
        return measured.value == best ? Markup("strong", ["class": "best"], text: text) : Markup(text)
      }
      return row + [
        Markup(run.seconds.map(SummarySection.duration) ?? "–"),
        Markup(run.examplesPerSecond.map { NumberText.fixed($0, 0) } ?? "–"),
        Markup(run.adapterBytes.map(SummarySection.size) ?? "–"),
      ]
    }
    return .table(
      id: "overview-table", caption: "All runs; the best value of each metric is highlighted.",
      header: header,
      numbersFrom: 2, rows: rows)
  }

  private var charts: [Markup] {
    var charts: [Markup] = []
    for (index, task) in tasks.enumerated() {
      let measured = zip(runs, names).compactMap { run, name in
        final(run, task.name).map { (name: name, run: run, value: $0.value, majority: $0.majority) }
      }
      let title = tasks.count > 1 ? "\(task.name): \(metricName(task.metric))" : metricName(task.metric)
      let bars = measured.map {
        BarChart.Bar(name: $0.name, value: $0.value, label: NumberText.fixed($0.value, 4))
      }
      charts.append(
        BarChart(
          id: "overview-metric-\(index)", title: "\(title.prefix(1).uppercased())\(title.dropFirst())",
          description: bars.map { "\($0.name) \($0.label)" }.joined(separator: ", ") + ".", bars: bars,
          reference: measured.first?.majority.map { ("most frequent label", $0) }
        ).figure)
      let points = measured.compactMap { entry in
        entry.run.trainableParameters.map {
          ScatterChart.Point(x: Double($0), y: entry.value, name: entry.name)
        }
      }
      if points.count > 1 {
        charts.append(
          ScatterChart(
            id: "overview-size-\(index)",
            title: "\(title.prefix(1).uppercased())\(title.dropFirst()) over trained parameters",
            description: points.map {
              "\($0.name): \(NumberText.grouped(Int($0.x))) parameters, \(NumberText.fixed($0.y, 4))"
            }
            .joined(separator: "; ") + ".",
            horizontal: "trained parameters", vertical: metricName(task.metric), points: points,
            isLabelled: points.count <= 12, isLogarithmic: true
          ).figure)
      }
    }
    return charts + [losses, speed]
  }

  private var losses: Markup {
    let series = zip(runs, names).map { run, name in
      LineChart.Series(
        name: name, points: LineChart.smoothed(run.steps.map { (Double($0.step), $0.loss) }))
    }
    return LineChart(
      id: "overview-loss", title: "Loss, smoothed",
      description: series.compactMap { line in
        line.points.last.map { "\(line.name) ends at \(NumberText.fixed($0.y, 4))" }
      }.joined(separator: "; ") + ".",
      horizontal: "step", vertical: "loss", series: series
    ).figure
  }

  private var speed: Markup {
    let bars = zip(runs, names).compactMap { run, name in
      run.examplesPerSecond.map { BarChart.Bar(name: name, value: $0, label: NumberText.fixed($0, 0)) }
    }
    guard !bars.isEmpty else { return .none }
    return BarChart(
      id: "overview-speed", title: "Training examples per second",
      description: bars.map { "\($0.name) \($0.label)" }.joined(separator: ", ") + ".", bars: bars
    ).figure
  }
}
