import PTuneComposition
import PTuneEngine
import PTuneFormats

/// `predictions.jsonl`: what the best adapter says of each held-out example, for reports and for whoever wants to see
/// where it goes wrong.
///
/// A line has the task, which of its files the row is of and where it stands in it, the row's fields, what the head
/// predicts, and the head's metrics of this example alone.
struct PredictionFile: ~Copyable {
  /// Rows of one task and how many of them were written.
  struct Count: Equatable {
    /// "test" or "validation".
    let of: String
    let examples: Int
    var written = 0
  }

  private let composition: Composition
  private let file: AtomicFile
  private let limit: Int
  /// Written in larger pieces: a line each would be a system call each.
  private var waiting: [UInt8] = []

  /// Characters of a field that are kept.
  static let fieldLength = 4000

  /// - Parameter limit: rows of a task, at most.
  /// - Throws: `FileError`.
  init(_ path: String, _ composition: Composition, limit: Int) throws {
    self.composition = composition
    self.limit = limit
    file = try AtomicFile(path)
  }

  /// Writes the examples of a task, in their order.
  ///
  /// - Throws: `FileError`, `EngineFailure`.
  mutating func add(_ examples: [EncodedExample], _ scored: ScoredExamples, task: Int, of kind: String) throws
    -> Count
  {
    var count = Count(of: kind, examples: examples.count)
    for (example, scores) in zip(examples, scored.perExample).prefix(limit) {
      let line = try line(example, scores, columns: scored.columns, task: task, kind)
      waiting += line.bytes(.line) + [0x0A]
      count.written += 1
      if waiting.count >= 1 << 16 { try flush() }
    }
    return count
  }

  /// Puts the file in its place.
  ///
  /// - Throws: `FileError`.
  consuming func commit() throws {
    try file.write(waiting)
    try file.commit()
  }

  private mutating func flush() throws {
    try file.write(waiting)
    waiting = []
  }

  private func line(
    _ example: EncodedExample, _ scores: [Float], columns: Int, task: Int, _ kind: String
  ) throws -> JSONValue {
    let name = composition.tasks[task].name
    let row = try example.row.map { try composition.layOut($0, task: task, path: name).row }
    var line: JSONObject = ["task": .string(name), "of": .string(kind), "line": .int(example.line)]
    var fields = JSONObject()
    for (key, value) in (example.row?.fields ?? [:]).sorted(by: { $0.key < $1.key }) {
      fields[key] = .string(String(value.unicodeScalars.prefix(Self.fieldLength)))
    }
    line["fields"] = .object(fields)
    // What an evaluation keeps of a text's tokens is not what `predict` reads.
    if let row, composition.reading(task: task) != .continuedText {
      var prediction = JSONObject()
      for (key, json) in try composition.model.predict(scores, columns: columns, row, task: task) {
        prediction[key] = try JSONValue.parse(json)
      }
      line["prediction"] = .object(prediction)
    }
    let record = EvaluationRecord()
    record.add(
      scores: scores, columns: columns, integers: example.integers, numbers: example.numbers,
      row: row.map { row in { row } })
    var metrics = JSONObject()
    for metric in try composition.model.measure(record, task: task) {
      metrics[metric.name] = .double(metric.value)
    }
    line["metrics"] = .object(metrics)
    return .object(line)
  }
}
