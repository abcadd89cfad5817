import Foundation
import PTuneFormats
import PTuneRunFile
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneTraining

@Suite("The order of labels") struct LabelOrderTests {
  @Test(
    "whole numbers ascend, names that the base model knows keep its order, others are sorted",
    arguments: [
      (["10", "2", "1", "0"], [], ["0", "1", "2", "10"]), (["-1", "10", "0"], [], ["-1", "0", "10"]),
      (["01", "1", "2"], [], ["01", "1", "2"]), (["10", "2", "x"], [], ["10", "2", "x"]),
      (["b", "a", "B"], [], ["B", "a", "b"]),
      (["mid", "neg", "pos"], ["pos", "neg", "mid"], ["pos", "neg", "mid"]),
      (["mid", "pos"], ["pos", "neg", "mid"], ["pos", "mid"]),
      (["mid", "other"], ["pos", "neg", "mid"], ["mid", "other"]),
      (["1", "0"], ["1", "0"], ["1", "0"]),
    ])
  func order(labels: [String], known: [String], expected: [String]) {
    #expect(TaskRows.ordered(Set(labels), known: known) == expected)
  }

  @Test(
    "heads with labels take it, for texts, for several labels, for tags and for words at a mask",
    arguments: [
      ("sequence-classification", "label", ""), ("sequence-classification", "labels", ", multi_label: true"),
      ("token-classification", "labels", ""),
      ("masked-lm-verbalizer", "label", #", words: ["2=good", "10=bad", "1=fine"]"#),
    ])
  func heads(head: String, column: String, settings: String) throws {
    let tiny = try TinyRun(rows: 2)
    let rows = [("good", "2"), ("bad", "10"), ("fine", "1")].map {
      #"{"text": "\#($0)", "label": "\#($1)", "labels": ["\#($1)"]}"#
    }
    try tiny.write("rows.jsonl", rows.joined(separator: "\n") + "\n")
    for (base, expected) in [("plain", ["1", "2", "10"]), ("named", ["10", "1", "2"])] {
      try FileManager.default.copyItem(
        atPath: "\(Workbench.fixtures)/tiny-bert-mlm", toPath: tiny.path(base))
      if base == "named" {
        var config = try #require(try JSONValue.read(tiny.path("named/config.json")).objectValue)
        config["id2label"] = ["2": "2", "0": "10", "1": "1"]
        try tiny.write("named/config.json", JSONValue.object(config).text())
      }
      let template = head == "masked-lm-verbalizer" ? #", template: "{text} {mask}""# : ""
      let spec = try RunSpec.parse(
        """
        base: {model: \(base)}
        adapter: {plugin: prefix-tuning, virtual_tokens: 2}
        tasks:
          - head: {plugin: \(head)\(settings)}
            data: {train: rows.jsonl, label: \(column)\(template)}
        """, file: tiny.path("run.yaml"))
      let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
      #expect(run.composition.tasks[0].labels == expected)
    }
  }

  @Test("labels of config.json are those of 0, 1, 2, …, each another one")
  func config() throws {
    let tiny = try TinyRun(rows: 1)
    for (labels, expected) in [
      (#"{"1": "b", "0": "a"}"#, ["a", "b"]), (#"{"0": "a", "2": "b"}"#, []),
      (#"{"0": "a", "1": "a"}"#, []), (#"{"0": "a", "1": 3}"#, []), ("null", []), ("[]", []),
    ] {
      let path = try tiny.write("config.json", #"{"id2label": \#(labels)}"#)
      #expect(try ModelConfig(path: path).labels == expected)
    }
  }
}
