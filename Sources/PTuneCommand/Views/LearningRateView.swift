import Foundation
import PTuneFormats
import PTuneTerminal
import PTuneTraining

/// Shows people a learning-rate range test.
struct LearningRateView {
  let console: Console
  let findings: LearningRateFinder.Findings
  /// The command that trains at a rate.
  let command: (Double) -> String

  func show() {
    let logs = findings.points.map { (x: log10($0.rate), y: $0.smoothed) }
    // What explodes at the end would press the rest flat.
    let ceiling = (logs.dropFirst(10).first?.y ?? 0) * 1.25
    let powers = (-6...2).map { (x: Double($0), text: "1e\($0)") }
    let chart = TextChart(
      logs.map { ($0.x, min($0.y, max(ceiling, logs.first?.y ?? 0))) }, marks: powers,
      width: min(64, max(24, console.tableWidth == .max ? 64 : console.tableWidth - 12)), height: 10)
    console.clear()
    console.line("smoothed loss by learning rate")
    for line in chart.lines(label: { NumberText.fixed($0, 3) }) { console.line(line) }
    console.line()
    for line in words { console.line(line) }
  }

  /// The suggestion and why.
  private var words: [String] {
    guard let suggestion = findings.suggestion, let steepest = findings.steepest, let least = findings.least
    else {
      return [
        "No suggestion: the loss did not fall at any rate, from \(text(findings.points.first?.rate ?? 0)) to "
          + "\(text(findings.points.last?.rate ?? 0)).",
        "Check labels and columns; then try another initialisation (adapter.initialization), more virtual "
          + "tokens, or another adapter.",
      ]
    }
    var lines = [
      "suggestion  \(text(suggestion))",
      "because     the loss falls most steeply around \(text(steepest.rate)); it is least at \(text(least.rate)), "
        + "where steps are already too large to train with",
      "the run's   \(text(findings.present))" + (findings.isNear ? ", which is close enough" : ""),
    ]
    if !findings.isNear { lines.append("train with  \(command(suggestion))") }
    return lines
  }

  /// To two digits: "0.032", "3.2e-05".
  private func text(_ rate: Double) -> String {
    guard rate > 0 else { return "\(rate)" }
    let power = Int(floor(log10(rate)))
    return "\(Double("\(Int((rate * pow(10, Double(1 - power))).rounded()))e\(power - 1)") ?? rate)"
  }
}
