import CPTune
import PTune

/// What a model asks the heads of its tasks, other than scores.
extension Model {
  /// The sequences that a row consists of for a task whose head lays out rows itself.
  public func arrange(_ row: ExampleRow, task: Int) throws -> [ArrangementCollector.Input] {
    let collector = ArrangementCollector()
    try session.scoped {
      let example = session.handle(for: row, .example)
      let arrangement = session.handle(for: collector, .arrangement)
      try session.call(heads[task].identity, "arrange") { call in
        try Host.within(call) {
          try (heads[task].head as? any ArrangingHead)?.arrange(
            Example(handle: example), into: Arrangement(handle: arrangement))
        }
        if collector.inputs.isEmpty { session.record("arrange made no sequence") }
      }
      // A row may be laid out while an evaluation is measured, whose scope lasts over all rows.
      for handle in [example, arrangement].compactMap({ $0 }) { session.release(handle) }
    }
    return collector.inputs
  }

  /// Turns the label fields of a row into targets of a task.
  public func encode(_ row: ExampleRow, task: Int) throws -> TargetCollector {
    let collector = TargetCollector()
    try session.scoped {
      let example = session.handle(for: row, .example)
      let targets = session.handle(for: collector, .targets)
      try session.call(heads[task].identity, "encode") { call in
        try Host.within(call) {
          try heads[task].head.encode(Example(handle: example), into: Targets(handle: targets))
        }
      }
    }
    return collector
  }

  /// What the scores of one example mean to a task's head: members of a JSON object.
  public func predict(
    _ scores: [Float], columns: Int, _ row: ExampleRow, task: Int
  ) throws -> [(key: String, json: String)] {
    let collector = PredictionCollector()
    try session.scoped {
      let example = session.handle(for: row, .example)
      let prediction = session.handle(for: collector, .prediction)
      try session.call(heads[task].identity, "predict") { call in
        try Host.within(call) {
          let handed = HandedArray(scores, "scores")
          try withExtendedLifetime(handed) {
            try heads[task].head.predict(
              ScoreMatrix(
                values: UnsafeBufferPointer(start: handed.pointer, count: scores.count), columns: columns),
              Example(handle: example), into: Prediction(handle: prediction))
          }
        }
      }
    }
    return collector.members
  }

  /// Lets a task's head state its metrics over an evaluation.
  public func measure(_ record: EvaluationRecord, task: Int) throws -> [EvaluationRecord.Metric] {
    try session.scoped {
      let evaluation = session.handle(for: record, .evaluation)
      try session.call(heads[task].identity, "measure") { call in
        try Host.within(call) { try heads[task].head.measure(Evaluation(handle: evaluation)) }
      }
    }
    return record.metrics
  }
}
