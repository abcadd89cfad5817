import PTuneComparison
import PTuneFormats
import PTuneTerminal

/// Shows people how a comparison goes.
final class ComparisonView {
  private let console: Console
  private let quiet: Bool
  private let comparison: Comparison
  private var started = ContinuousClock.now

  init(console: Console, quiet: Bool, comparison: Comparison) {
    (self.console, self.quiet, self.comparison) = (console, quiet, comparison)
  }

  private var count: Int { comparison.plan.cells.count }

  private func title(_ index: Int) -> String {
    let cell = comparison.plan.cells[index]
    let seed = comparison.plan.seeds.count > 1 ? ", seed \(cell.seed)" : ""
    return "\(index + 1)/\(count)  \(cell.label)\(seed)"
  }

  /// What there is to do.
  func begin() {
    guard !quiet else { return }
    let done = comparison.results.count { $0.state == .done }
    console.line(
      "\(count) training\(count == 1 ? "" : "s")" + (done > 0 ? ", \(done) of them already done" : ""))
  }

  func begin(_ index: Int) {
    started = .now
    show(index, "loading")
  }

  func show(_ index: Int, _ progress: String) {
    guard !quiet else { return }
    console.redraw([title(index)] + progress.split(separator: "  ").map(String.init))
  }

  func end(_ index: Int) {
    let result = comparison.results[index]
    console.clear()
    if let failure = result.failure {
      Output.warning("\(title(index)) failed: \(failure.error)")
      return
    }
    guard !quiet else { return }
    let metrics = (result.numbers?.metrics ?? []).compactMap { task -> String? in
      guard let metric = task.values.first else { return nil }
      let name = (result.numbers?.metrics.count ?? 0) > 1 ? "\(task.task) \(metric.name)" : metric.name
      return "\(name) \(NumberText.fixed(metric.value, 4))"
    }
    let seconds = NumberText.fixed((ContinuousClock.now - started) / .seconds(1), 0)
    console.line(([title(index)] + metrics + ["\(seconds) s"]).joined(separator: "  "))
  }

  func interrupted() {
    console.clear()
    let done = comparison.results.count { $0.state == .done }
    console.line("stopped with \(done) of \(count) trainings done; the same command resumes")
  }

  func result() {
    console.clear()
    if !quiet { console.line() }
    let table = ComparisonTable(comparison.rows)
    for (index, part) in table.tables(width: console.tableWidth).enumerated() {
      if index > 0 { console.line() }
      console.table(part)
    }
    if !table.notes.isEmpty { console.line() }
    for note in table.notes { console.line(note) }
    guard !quiet else { return }
    console.line("\nThe results are in \(comparison.plan.output): comparison.json, .csv, .md and .html.")
  }
}
