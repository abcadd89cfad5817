import PTuneFormats
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile
@testable import PTuneTraining

/// PEFT's models read rows of `input_ids` with padding otherwise than ptune's own adapters do.
@Suite("Going on from PEFT's adapters with padded rows") struct ContinuedAdapterTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let adapter: String
    let head: String
    let padding: Int
    var testDescription: String { name }
    var folder: String { "\(Workbench.fixtures)/peft/\(name)" }
  }

  static let cases = [
    Case(
      name: "roberta-seq-prefix_tuning", adapter: "prefix-tuning", head: "sequence-classification",
      padding: 1),
    Case(name: "gpt2-seq-ia3", adapter: "ia3", head: "sequence-classification", padding: 0),
    Case(name: "gpt2-lm-lora", adapter: "lora", head: "causal-lm", padding: 0),
  ]

  /// Rows with padding among and behind the tokens, with a mask and without.
  private func write(_ item: Case, _ tiny: TinyRun) throws -> String {
    let pad = item.padding
    let rows = [
      "[2, 15, 21, \(pad), \(pad), 27, 3]", "[2, 9, 40, \(pad), \(pad)]",
      "[2, 61, 17, 3, \(pad)], \"attention_mask\": [1, 1, 1, 1, 0]",
    ]
    let lines = rows.enumerated().map { #"{"input_ids": \#($1), "label": "LABEL_\#($0)"}"# }
    return try tiny.write("rows.jsonl", lines.joined(separator: "\n") + "\n")
  }

  /// One step at the learning rate 0.
  private func train(
    _ item: Case, _ tiny: TinyRun, _ going: String, task: String, head: String
  ) throws -> TrainingResult {
    let base = try Workbench.peftRun(item.folder).composition.modelFolder
    let text = """
      base: {model: "\(base)"}
      adapter: \(item.adapter)
      \(going): "\(item.folder)"
      tasks: [{name: \(task), head: \(head), data: {train: rows.jsonl, validation: rows.jsonl}}]
      training: {max_steps: 1, warmup_steps: 1, weight_decay: 0, threads: 2}
      output: \(tiny.path(going))
      """
    return try tiny.train(try RunSpec.parse(text, file: tiny.path("run.yaml"))).result
  }

  private func scores(_ run: AdapterRun, _ rows: String) throws -> [[[Float]]] {
    var scores: [[[Float]]] = []
    try Predictor(run, task: 0, data: run.folder.tasks.map(\.data)).predict(rowsOf: rows) {
      scores.append($0.scores)
    }
    return scores
  }

  private func metrics(_ run: AdapterRun, _ rows: String) throws -> [Double] {
    var data = run.folder.tasks[0].data
    data.train.value = rows
    return try run.evaluate(data, task: 0, batchSize: 4) { _, _ in }.metrics.map(\.value)
  }

  @Test("a run that starts from an adapter scores and measures as the adapter did", arguments: cases)
  func start(item: Case) throws {
    let tiny = try TinyRun(rows: 1)
    let rows = try write(item, tiny)
    let before = try Workbench.peftRun(item.folder)
    let result = try train(item, tiny, "start_from", task: "mood", head: item.head)
    let after = try tiny.load(result)
    #expect(try scores(after, rows) == scores(before, rows))
    #expect(try metrics(after, rows) == metrics(before, rows))
    // While it trains, too.
    #expect(try result.validation[0].metrics.map(\.value) == metrics(before, rows))
  }

  @Test("an adapter that a task is added to scores and measures its own task as before", arguments: cases)
  func extend(item: Case) throws {
    let tiny = try TinyRun(rows: 1)
    let rows = try write(item, tiny)
    let before = try Workbench.peftRun(item.folder)
    let after = try tiny.load(
      train(item, tiny, "extend", task: "mood", head: "sequence-classification"))
    #expect(after.folder.tasks.map(\.name) == ["task", "mood"])
    #expect(try scores(after, rows) == scores(before, rows))
    #expect(try metrics(after, rows) == metrics(before, rows))
  }
}
