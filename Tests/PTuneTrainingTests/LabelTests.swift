import PTuneComposition
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneTraining

@Suite("Labels of data files") struct LabelTests {
  @Test("blanks around labels are no part of them, and an empty label is an error with file and line")
  func labels() throws {
    let tiny = try TinyRun()
    func spec(_ rows: String) throws -> RunSpec {
      let path = try tiny.write("labels.csv", rows)
      return try tiny.spec(
        adapter: "{plugin: prompt-tuning, virtual_tokens: 2}",
        [
          "tasks.0.data.train=\(path)", "tasks.0.data.validation=", "tasks.0.data.test=",
          "training.max_steps=1",
        ])
    }
    let result = try tiny.train(
      spec("sentence, label\r\nthe film, good\r\nthe plot,bad \r\na film,\u{A0}good\r\n,\r\n")
    ).result
    #expect(try tiny.load(result).folder.tasks[0].labels == ["bad", "good"])
    for empty in ["", " ", "\"\""] {
      let failure = #expect(throws: TrainingError.self) {
        try tiny.train(spec("sentence,label\nthe film,good\nthe plot,\(empty)\nit,bad\n"))
      }
      #expect(failure == .row(path: tiny.path("labels.csv"), line: 3, reason: "the label is empty"))
    }
  }
}
