import PTuneFormats
import PTunePlugins
import Testing

@testable import PTuneTraining

@Suite("Sequence classification") struct SequenceClassificationTests {
  @Test(
    "class weights that name no label, or are no weights, are refused",
    arguments: [
      ("other=2", "class_weights: 'other' is not one of yes, a=b"),
      ("yes=0", "class_weights: 'yes=0' is not label=weight with a weight above 0"),
      ("yes", "class_weights: 'yes' is not label=weight with a weight above 0"),
      ("a=b=", "class_weights: 'a=b=' is not label=weight with a weight above 0"),
      ("a=b=2", nil),
    ] as [(String, String?)])
  func classWeights(weight: String, reason: String?) throws {
    func compose() throws {
      _ = try Workbench.compose(
        checkpoint: "tiny-bert",
        adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
        head: ComponentChoice(
          plugin: "sequence-classification",
          hyperparameters: ["labels": .strings(["yes", "a=b"]), "class_weights": .strings([weight])]))
    }
    if let reason {
      let error = #expect(throws: (any Error).self) { try compose() }
      #expect(error.map { "\($0)" }?.contains(reason) == true)
    } else {
      try compose()
    }
  }

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
