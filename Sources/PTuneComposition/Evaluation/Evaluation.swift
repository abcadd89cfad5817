import PTuneEngine
import PTuneText

/// The metrics of a task over some examples.
public struct EvaluationReport: Sendable {
  /// The task.
  public let task: String
  /// Number of examples.
  public let examples: Int
  /// As the head states them; the first one counts.
  public let metrics: [EvaluationRecord.Metric]
  /// Wall-clock seconds.
  public let seconds: Double
  /// Which entries of its pool the adapter used; nil without a selector.
  public internal(set) var selection: SelectionStatistics? = nil
  /// What was measured; nil where it is not known any more.
  package var scored: ScoredExamples? = nil

  /// The result of an evaluation.
  package init(
    task: String, examples: Int, metrics: [EvaluationRecord.Metric], seconds: Double,
    selection: SelectionStatistics? = nil, scored: ScoredExamples? = nil
  ) {
    self.task = task
    self.examples = examples
    self.metrics = metrics
    self.seconds = seconds
    self.selection = selection
    self.scored = scored
  }

  /// The metric that decides which adapter is best.
  public var primary: EvaluationRecord.Metric? { metrics.first }
}

/// The scores that an evaluation keeps of some examples, in their order.
package struct ScoredExamples: Sendable {
  package let perExample: [[Float]]
  package let columns: Int
}

extension Composition {
  /// Scores examples in batches of like lengths and hands them on, in their own order.
  ///
  /// - Parameters:
  ///   - selection: takes the selector's weights of each example, in no particular order.
  ///   - progress: called with the number of examples done so far.
  package func scores(
    _ examples: [EncodedExample], task: Int, batchSize: Int, forEvaluation: Bool = false,
    selection: (_ example: Int, _ weights: [Float]) -> Void = { _, _ in },
    progress: (Int) throws -> Void = { _ in }
  ) throws -> (perExample: [[Float]], columns: Int) {
    let plan = BatchPlan.sortedByLength(lengths: examples.map(\.tokens.count), batchSize: batchSize)
    var results: [[Float]] = []
    var columns = 0
    for indices in plan.batches {
      let scored = try model.scores(
        batch(indices.lazy.map { examples[$0] }, task: task, training: false), forEvaluation: forEvaluation)
      results += scored.perExample
      columns = scored.columns
      for (example, weights) in zip(indices, scored.weights) { selection(example, weights) }
      try progress(results.count)
    }
    return (plan.restoringOrder(results), columns)
  }

  /// Evaluates a task on labelled examples.
  package func evaluate(
    _ examples: [EncodedExample], task: Int, batchSize: Int, progress: (Int) throws -> Void = { _ in }
  ) throws -> EvaluationReport {
    let clock = ContinuousClock()
    let start = clock.now
    let isLabelled = !model.scoresTokens(task: task) && examples.allSatisfy { $0.integers.count == 1 }
    var selection = SelectionStatistics(labels: isLabelled ? tasks[task].labels : [])
    let (scores, columns) = try scores(
      examples, task: task, batchSize: batchSize, forEvaluation: true,
      selection: { example, weights in
        selection.add(weights, label: isLabelled ? Int(examples[example].integers[0]) : nil)
      }, progress: progress)
    let record = EvaluationRecord()
    for (example, scores) in zip(examples, scores) {
      record.add(
        scores: scores, columns: columns, integers: example.integers, numbers: example.numbers,
        row: example.row.map { row in { try self.layOut(row, task: task, path: self.tasks[task].name).row } })
    }
    let metrics = try model.measure(record, task: task)
    return EvaluationReport(
      task: tasks[task].name, examples: examples.count, metrics: metrics,
      seconds: (clock.now - start) / .seconds(1), selection: selection.all.examples > 0 ? selection : nil,
      scored: ScoredExamples(perExample: scores, columns: columns))
  }
}
