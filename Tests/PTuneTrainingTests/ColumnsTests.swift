import PTuneComposition
import PTuneFormats
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneTraining

@Suite("Which columns become fields") struct ColumnsTests {
  private func run(_ tiny: TinyRun, _ head: String, _ data: String) throws -> TrainingRun {
    let spec = try RunSpec.parse(
      """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: prompt-tuning
      tasks:
        - head: \(head)
          data: {train: rows.jsonl, \(data)}
      """, file: tiny.path("run.yaml"))
    return try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
  }

  private static let rows = [
    #"{"premise": "the film was good", "question": "cause", "choice1": "the plot", "choice2": "the actor", "label": 0}"#,
    #"{"premise": "the story was dull", "question": "cause", "choice1": "the plot", "choice2": "the actor", "label": 1}"#,
  ].joined(separator: "\n")

  @Test("columns that the run names win over those that only bear a field's name")
  func explicit() throws {
    let tiny = try TinyRun(rows: 1)
    try tiny.write("rows.jsonl", Self.rows)
    let run = try run(
      tiny, "multiple-choice", "text: premise, fields: {choice0: choice1, choice1: choice2}")
    let examples = run.examples[0].train
    // Two choices, and premises that differ.
    #expect(examples.map { $0.offsets.count } == [3, 3])
    #expect(examples[0].tokens != examples[1].tokens)
    #expect(run.composition.columnsTaken[0] == [])
  }

  @Test("fields that the run leaves out are taken by their names, and which ones is known")
  func byName() throws {
    let tiny = try TinyRun(rows: 1)
    try tiny.write(
      "rows.jsonl", #"{"question": "which film", "choices": ["the good", "the bad"], "label": 1}"# + "\n")
    let run = try run(tiny, "multiple-choice", "label: label")
    #expect(run.composition.columnsTaken[0] == ["choices", "question"])
    try tiny.write(
      "rows.jsonl",
      #"{"ask": "who was it", "question": "other", "context": "it was love", "label": {"text": ["love"], "answer_start": [7]}}"#
        + "\n")
    let asked = try self.run(tiny, "extractive-qa", "text: ask")
    #expect(asked.composition.columnsTaken[0] == ["context"])
    let named = try self.run(tiny, "extractive-qa", "fields: {question: question}")
    #expect(named.examples[0].train[0].tokens != asked.examples[0].train[0].tokens)
  }
}
