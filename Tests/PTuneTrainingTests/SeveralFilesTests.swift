import PTuneComposition
import PTuneFormats
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneTraining

@Suite("Training rows in several files") struct SeveralFilesTests {
  private func spec(_ tiny: TinyRun, _ train: String) throws -> RunSpec {
    try RunSpec.parse(
      """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: prompt-tuning
      tasks:
        - head: sequence-classification
          data: {train: \(train), text: sentence}
      training: {max_steps: 2}
      """, file: tiny.path("run.yaml"))
  }

  @Test("they are read one after the other, and written so into the run file")
  func together() throws {
    let tiny = try TinyRun(rows: 8)
    try tiny.write("more.jsonl", #"{"sentence": "a warm film", "label": "positive"}"# + "\n")
    let spec = try spec(tiny, "[train.tsv, more.jsonl]")
    #expect(spec.tasks[0].data.furtherTrain.map(\.value) == [tiny.path("more.jsonl")])
    #expect(try RunSpec.parse(spec.yaml(), file: "/run.yaml").tasks[0].data.furtherTrain.count == 1)
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    #expect(run.examples[0].train.count == 9)
    #expect(run.labelCounts[0].counts.map(\.count) == [4, 5])
  }

  @Test("a row that is wrong, and a file that is missing, are named")
  func errors() throws {
    let tiny = try TinyRun(rows: 8)
    try tiny.write("bad.tsv", "sentence\tlabel\n\n\na film\n")
    func message(_ train: String) throws -> String {
      let error = #expect(throws: (any Error).self) {
        try TrainingRun(try spec(tiny, train), registry: Workbench.factory().registry) { _, _ in }
      }
      return error.map { "\($0)" } ?? ""
    }
    #expect(try message("[train.tsv, bad.tsv]").contains("bad.tsv:4"))
    #expect(
      try message("[train.tsv, nowhere.tsv]").contains("run.yaml:5: cannot read \(tiny.path("nowhere.tsv"))"))
    #expect(throws: RunFileError.self) { try spec(tiny, "[]") }
  }
}
