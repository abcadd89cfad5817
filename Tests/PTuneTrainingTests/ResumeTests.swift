import Foundation
import PTuneFormats
import PTuneReport
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneTraining

@Suite("Resuming with other settings") struct ResumeTests {
  /// Trains to step 9 of 24, then goes on with other settings.
  private func resume(
    _ tiny: TinyRun, _ settings: [String], accepting: Bool = false
  ) throws -> (result: TrainingResult, warnings: [String]) {
    let spec = try tiny.spec(adapter: "prompt-tuning", settings)
    var warnings: [String] = []
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    let trainer = Trainer(run) { if case .warning(let text) = $0 { warnings.append(text) } }
    return (try trainer.train(resume: true, acceptingChanges: accepting) { false }, warnings)
  }

  private func begun() throws -> TinyRun {
    let tiny = try TinyRun()
    _ = try tiny.train(try tiny.spec(adapter: "prompt-tuning"), interruptedAfter: 9)
    return tiny
  }

  @Test(
    "what leads to another result is refused by its key, and nothing on disk changes",
    arguments: [
      ("training.batch_size=4", "training.batch_size was 8 and is 4"),
      ("training.seed=3", "training.seed was 42 and is 3"),
      ("training.epochs=4", "training.epochs was 3 and is 4"),
      ("training.learning_rate=0.5", "training.learning_rate was not set and is 0.5"),
      ("training.accumulation=2", "training.accumulation was 1 and is 2"),
      ("tasks.0.data.maximum_rows=10", "tasks.tone.data.maximum_rows was not set and is 10"),
      ("tasks.0.data.train=other.tsv", "tasks.tone.data.train was FOLDER/train.tsv and is FOLDER/other.tsv"),
      ("tasks.0.head.dropout=0.5", "tasks.tone.head.dropout was not set and is 0.5"),
    ])
  func refused(setting: String, change: String) throws {
    let tiny = try begun()
    try FileManager.default.copyItem(atPath: tiny.path("train.tsv"), toPath: tiny.path("other.tsv"))
    let before = try (tiny.bytes("out/run.yaml"), tiny.bytes("out/metrics.jsonl"))
    let path = setting.replacingOccurrences(of: "other.tsv", with: tiny.path("other.tsv"))
    let error = #expect(throws: TrainingError.self) { try resume(tiny, [path]) }
    let text = error?.description.replacingOccurrences(of: tiny.folder, with: "FOLDER")
    #expect(text == "FOLDER/out was trained to step 9 with other settings: \(change)")
    #expect(error?.help?.contains("--accept-changes") == true)
    #expect(try tiny.bytes("out/run.yaml") == before.0)
    #expect(try tiny.bytes("out/metrics.jsonl") == before.1)
  }

  @Test("rows that changed in a file of the same name are refused")
  func rows() throws {
    let tiny = try begun()
    let rows = String(decoding: try tiny.bytes("train.tsv"), as: UTF8.self)
    try tiny.write("train.tsv", rows.replacingOccurrences(of: "good", with: "bad"))
    let error = #expect(throws: TrainingError.self) { try resume(tiny, []) }
    #expect(error?.description.contains("what the training data of 'tone' holds was other rows") == true)
  }

  @Test("what changes no result is said and taken")
  func harmless() throws {
    let tiny = try begun()
    let (result, warnings) = try resume(tiny, ["training.log_every=3", "training.checkpoint_every=never"])
    #expect(result.steps == 24)
    #expect(
      warnings == [
        "from step 10 on: training.checkpoint_every was 7 and is never; training.log_every was 1 and is 3"
      ])
    let whole = try TinyRun()
    _ = try whole.train(try whole.spec(adapter: "prompt-tuning"))
    let file = "out/adapter/adapter_model.safetensors"
    #expect(try tiny.bytes(file) == whole.bytes(file))
    #expect(!String(decoding: try tiny.bytes("out/run.yaml"), as: UTF8.self).hasPrefix("#"))
  }

  @Test("accepted changes stand in the run file, each time, and in the report")
  func accepted() throws {
    let tiny = try begun()
    let (result, warnings) = try resume(tiny, ["training.batch_size=4"], accepting: true)
    #expect(result.steps > 24)
    #expect(warnings == ["from step 10 on: training.batch_size was 8 and is 4"])
    let first = String(decoding: try tiny.bytes("out/run.yaml"), as: UTF8.self)
    #expect(
      first.hasPrefix(
        "# Resumed with other settings; up to step 9 this was:\n#   training.batch_size: 8\nbase:\n"))
    #expect(try RunSpec.read(tiny.path("out/run.yaml")).training.batchSize == 4)
    let steps = result.steps
    _ = try resume(tiny, ["training.batch_size=4", "training.epochs=5"], accepting: true)
    let second = String(decoding: try tiny.bytes("out/run.yaml"), as: UTF8.self)
    #expect(
      second.hasPrefix(
        "# Resumed with other settings; up to step 9 this was:\n#   training.batch_size: 8\n"
          + "# Resumed with other settings; up to step \(steps) this was:\n#   training.epochs: 3\nbase:\n"))
    try Report([RunFolder(tiny.path("out"))]).write(to: tiny.path("report.html"))
    let report = String(decoding: try tiny.bytes("report.html"), as: UTF8.self)
    #expect(report.contains("no single command makes the adapter"))
    #expect(report.contains("training.batch_size: 8"))
  }

  @Test("a finished training takes no settings that no step would follow")
  func finished() throws {
    let tiny = try begun()
    _ = try resume(tiny, [])
    let error = #expect(throws: TrainingError.self) {
      try resume(tiny, ["training.seed=3"], accepting: true)
    }
    #expect(error?.description.contains("no step is left") == true)
  }
}
