import PTuneComposition
import PTuneEngine
import PTuneLibc
import PTuneRunFile

extension BestBy {
  /// Whether evaluations, one for each task with validation data, are better than others of the same tasks. NaN is
  /// worse than any number.
  func isBetter(_ new: [EvaluationReport], than old: [EvaluationReport]) -> Bool {
    if old.isEmpty { return true }
    if new.count == 1, let new = new[0].primary, let old = old[0].primary {
      return new.higherIsBetter
        ? Self.isGreater(new.value, old.value) : Self.isGreater(-new.value, -old.value)
    }
    return Self.isGreater(score(new), score(old))
  }

  /// Whether `a` is above `b`, with NaN below everything.
  private static func isGreater(_ a: Double, _ b: Double) -> Bool { a > b || b.isNaN && !a.isNaN }

  /// One number for all tasks; the higher, the better. NaN if a task's metric is.
  func score(_ reports: [EvaluationReport]) -> Double {
    let values = reports.map { $0.primary?.merit ?? 0 }
    // `max` would turn it into a number.
    if values.contains(where: \.isNaN) { return .nan }
    switch self {
    case .mean: return values.reduce(0, +) / Double(values.count)
    case .weightedMean:
      let examples = reports.map { Double($0.examples) }
      return zip(values, examples).reduce(0) { $0 + $1.0 * $1.1 } / examples.reduce(0, +)
    case .geometricMean:
      return pow(values.reduce(1) { $0 * max(0, $1) }, 1 / Double(values.count))
    }
  }
}

extension EvaluationRecord.Metric {
  /// The value, turned so that more is better and metrics of different tasks can be averaged.
  fileprivate var merit: Double { higherIsBetter ? value : 1 / (1 + value) }
}
