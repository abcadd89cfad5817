import Foundation
import PTuneComposition
import PTuneEngine
import PTuneRunFile

extension BestBy {
  /// Whether evaluations, one for each task with validation data, are better than others of the same tasks.
  func isBetter(_ new: [EvaluationReport], than old: [EvaluationReport]) -> Bool {
    if old.isEmpty { return true }
    if new.count == 1, let new = new[0].primary, let old = old[0].primary {
      return new.higherIsBetter ? new.value > old.value : new.value < old.value
    }
    return score(new) > score(old)
  }

  /// One number for all tasks; the higher, the better.
  func score(_ reports: [EvaluationReport]) -> Double {
    let values = reports.map { $0.primary?.merit ?? 0 }
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
