import PTuneFormats
import PTuneTerminal

/// How a training went, step by step.
struct CurveSection {
  let run: RunFolder
  let id: String
  var level = 2

  var section: Section {
    let charts = [loss] + metrics + [learningRate]
    return Section(
      id: id, title: level == 2 ? "Training" : "Training of \(run.name)",
      body: charts.allSatisfy(\.isEmpty) ? [] : [Markup("div", ["class": "charts"], charts)], level: level)
  }

  private var loss: Markup {
    let points = run.steps.filter { $0.loss.isFinite }.map { (x: Double($0.step), y: $0.loss) }
    guard let first = points.first, let last = points.last else { return .none }
    let lowest = points.min { $0.y < $1.y } ?? last
    let smooth = LineChart.smoothed(points, weight: points.count > 200 ? 0.97 : 0.85)
    return LineChart(
      id: "\(id)-loss", title: "Loss",
      description:
        "Training loss from \(NumberText.fixed(first.y, 4)) at step \(Int(first.x)) to \(NumberText.fixed(last.y, 4)) "
        + "at step \(Int(last.x)); lowest \(NumberText.fixed(lowest.y, 4)) at step \(Int(lowest.x)).",
      horizontal: "step", vertical: "loss",
      series: points.count > 20
        ? [
          LineChart.Series(name: "each logged step", points: points, isFaint: true),
          LineChart.Series(name: "smoothed", points: smooth),
        ] : [LineChart.Series(name: "loss", points: points, hasMarks: true)]
    ).figure
  }

  /// One chart for each metric that counts: tasks with the same one share it.
  private var metrics: [Markup] {
    var names: [(metric: String, tasks: [String])] = []
    for evaluation in run.evaluations {
      guard let metric = evaluation.metrics.keys.first else { continue }
      if let known = names.firstIndex(where: { $0.metric == metric }) {
        if !names[known].tasks.contains(evaluation.task) { names[known].tasks.append(evaluation.task) }
      } else {
        names.append((metric, [evaluation.task]))
      }
    }
    return names.map { metric, tasks in
      let series = tasks.map { task in
        LineChart.Series(name: task, points: points(metric, task), hasMarks: true)
      }
      let ends = series.map { line in
        (tasks.count > 1 ? "\(line.name): " : "") + (line.points.first.map { described($0, line) } ?? "")
      }
      var chart = LineChart(
        id: "\(id)-\(metric)", title: "Validation: \(metricName(metric))",
        description: "\(metricName(metric)) on the validation data, \(ends.joined(separator: "; ")).",
        horizontal: "step", vertical: metricName(metric), series: series)
      if tasks.count == 1 {
        if let majority = run.evaluations.last(where: { $0.task == tasks[0] })?.metrics["majority_class"]?
          .doubleValue
        {
          chart.references = [("most frequent label", majority)]
        }
        if let best = run.bestStep, let point = series[0].points.first(where: { Int($0.x) == best }) {
          chart.mark = ("best: step \(best)", point.x, point.y)
        }
      }
      return chart.figure
    }
  }

  private func described(_ first: (x: Double, y: Double), _ line: LineChart.Series) -> String {
    let last = line.points[line.points.count - 1]
    return
      "from \(NumberText.fixed(first.y, 4)) at step \(Int(first.x)) to \(NumberText.fixed(last.y, 4)) at step "
      + "\(Int(last.x))"
  }

  private func points(_ metric: String, _ task: String) -> [(x: Double, y: Double)] {
    run.evaluations.filter { $0.task == task }.compactMap { evaluation in
      evaluation.metrics[metric]?.doubleValue.map { (Double(evaluation.step), $0) }
    }
  }

  private var learningRate: Markup {
    let points = run.steps.filter { $0.learningRate.isFinite }.map {
      (x: Double($0.step), y: $0.learningRate)
    }
    guard let highest = points.max(by: { $0.y < $1.y }), points.count > 1 else { return .none }
    return LineChart(
      id: "\(id)-learning-rate", title: "Learning rate",
      description: "The learning rate of each logged step; highest \(Scale.short(highest.y)) at step "
        + "\(Int(highest.x)).",
      horizontal: "step", vertical: "learning rate",
      series: [LineChart.Series(name: "learning rate", points: points)]
    ).figure
  }
}
