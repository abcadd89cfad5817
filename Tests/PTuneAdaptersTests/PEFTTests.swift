import Foundation
import PTuneFormats
import PTuneText
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition

@Suite("PEFT's adapter folders") struct PEFTTests {
  private static let folder = "\(Workbench.fixtures)/peft"
  static let cases = ((try? FileSystem.entries(of: folder)) ?? []).sorted()

  /// A member of the document as lists of numbers, a row of the file each.
  private static func numbers(_ value: JSONValue?) -> [Float] {
    value?.arrayValue?.flatMap { numbers($0) } ?? (value?.doubleValue).map { [Float($0)] } ?? []
  }

  @Test("there are all of them") func all() { #expect(Self.cases.count == 44) }

  @Test("their scores are PEFT's", arguments: cases)
  func scores(name: String) throws {
    let folder = "\(Self.folder)/\(name)"
    let run = try Workbench.peftRun(folder)
    let golden = try JSONValue.read("\(folder)/golden.json")
    let rows = try #require(golden["input_ids"]?.arrayValue)
    let tiny = try TinyRun(rows: 1)
    let lines = rows.indices.map { index -> String in
      let task = golden["task_ids"].map { ", \"task_id\": \($0.arrayValue![index].text(.line))" } ?? ""
      let types = golden["token_type_ids"].map {
        ", \"token_type_ids\": \($0.arrayValue![index].text(.line).dropLast()), 1, 1]"
      }
      // Padding, which is not seen, but for the last one where PEFT reads scores from it.
      let padding = golden["padding"]?.text(.line) ?? "1"
      let ids = rows[index].arrayValue!.map { $0.text(.line) } + [padding, padding]
      let mask = rows[index].arrayValue!.map { _ in "1" } + ["0", "0"]
      return "{\"input_ids\": [\(ids.joined(separator: ", "))], "
        + "\"attention_mask\": [\(mask.joined(separator: ", "))]\(task)\(types ?? "")}\n"
    }
    let file = try tiny.write("rows.jsonl", lines.joined())
    var found: [JSONValue] = []
    try Predictor(run, task: nil, data: run.folder.tasks.map(\.data)).predict(rowsOf: file) {
      found.append(try JSONValue.parse($0.line(scores: true)))
    }
    try #require(found.count == rows.count)
    let keys =
      golden["logits"] == nil
      ? [("start_logits", "start_scores"), ("end_logits", "end_scores")]
      : [(golden["padded_logits"] == nil ? "logits" : "padded_logits", "scores")]
    for index in rows.indices {
      for (theirs, ours) in keys {
        let expected = Self.numbers(golden[theirs]?.arrayValue?[index])
        #expect(
          absoluteDifference(Self.numbers(found[index][ours]), expected) < 1e-4, "row \(index), \(ours)")
      }
    }
  }

  @Test("rows without padding have PEFT's scores where it reads scores from padding", arguments: cases)
  func unpaddedScores(name: String) throws {
    let folder = "\(Self.folder)/\(name)"
    let golden = try JSONValue.read("\(folder)/golden.json")
    guard golden["padded_logits"] != nil else { return }
    let run = try Workbench.peftRun(folder)
    let rows = try #require(golden["input_ids"]?.arrayValue)
    let tiny = try TinyRun(rows: 1)
    let file = try tiny.write(
      "rows.jsonl", rows.map { "{\"input_ids\": \($0.text(.line))}\n" }.joined())
    var found: [JSONValue] = []
    try Predictor(run, task: nil, data: run.folder.tasks.map(\.data)).predict(rowsOf: file) {
      found.append(try JSONValue.parse($0.line(scores: true)))
    }
    #expect(
      absoluteDifference(
        found.flatMap { Self.numbers($0["scores"]) }, Self.numbers(golden["logits"])) < 1e-4)
  }

  @Test("labels have the base model's names where it has as many, else those of transformers")
  func labels() throws {
    func labels(_ name: String) throws -> [String] {
      try Workbench.peftRun("\(Self.folder)/\(name)").folder.tasks[0].labels
    }
    #expect(try labels("bert-seq-five") == ["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3", "LABEL_4"])
    let tiny = try TinyRun(rows: 1)
    try FileManager.default.copyItem(
      atPath: "\(Workbench.fixtures)/tiny-bert-classifier", toPath: tiny.path("model"))
    let config = try String(contentsOfFile: tiny.path("model/config.json"), encoding: .utf8)
    try tiny.write(
      "model/config.json",
      config.replacingOccurrences(of: "\"LABEL_1\"", with: "\"so so\"")
        .replacingOccurrences(
          of: "\"model_type\"", with: "\"problem_type\": \"multi_label_classification\", \"model_type\""))
    let head = try Workbench.peftRun("\(Self.folder)/bert-seq-prompt_tuning", base: tiny.path("model")).folder
      .tasks[0]
    #expect(head.labels == ["LABEL_0", "so so", "LABEL_2"])
    #expect(head.head.hyperparameters["multi_label"] == .bool(true))
  }

  @Test("a base model without a tokenizer takes token ids, and says what it lacks for texts")
  func withoutTokenizer() throws {
    let tiny = try TinyRun(rows: 1)
    try FileManager.default.copyItem(
      atPath: "\(Workbench.fixtures)/tiny-bert-classifier", toPath: tiny.path("model"))
    let adapter = "\(Self.folder)/bert-seq-prompt_tuning"
    func scores(_ base: String?, _ row: String) throws -> [[Float]] {
      let run = try Workbench.peftRun(adapter, base: base)
      let file = try tiny.write("rows.jsonl", row + "\n")
      var scores: [[Float]] = []
      try Predictor(run, task: nil, data: run.folder.tasks.map(\.data)).predict(rowsOf: file) {
        scores += $0.scores
      }
      return scores
    }
    try FileManager.default.removeItem(atPath: tiny.path("model/vocab.txt"))
    let row = #"{"input_ids": [2, 17, 40, 3]}"#
    #expect(try scores(tiny.path("model"), row) == scores(nil, row))
    let error = #expect(throws: TextError.self) { try scores(tiny.path("model"), #"{"text": "good"}"#) }
    #expect(
      error.map { "\($0)" }
        == "no tokenizer in \(tiny.path("model")): it has no tokenizer.json and no vocab.txt")
    let wrong = #expect(throws: DataError.self) {
      try scores(tiny.path("model"), #"{"input_ids": [200]}"#)
    }
    #expect(wrong.map { "\($0)" }?.contains("'input_ids' holds 200, which is not within 0 and 199") == true)
  }

  @Test("rows of several tasks say which one they are for")
  func tasks() throws {
    let run = try Workbench.peftRun("\(Self.folder)/bert-seq-multitask")
    #expect(run.folder.tasks.map(\.name) == ["task_0", "task_1", "task_2"])
    let tiny = try TinyRun(rows: 1)
    func predict(_ task: Int?, _ member: String) throws -> [[Float]] {
      let file = try tiny.write("rows.jsonl", "{\"input_ids\": [2, 17, 3]\(member)}\n")
      var scores: [[Float]] = []
      try Predictor(run, task: task, data: run.folder.tasks.map(\.data)).predict(rowsOf: file) {
        scores += $0.scores
      }
      return scores
    }
    let first = try predict(0, "")
    #expect(try predict(nil, ", \"task_id\": 0") == first)
    #expect(try predict(nil, ", \"task\": \"task_0\"") == first)
    #expect(try predict(nil, ", \"task_id\": 1") != first)
    for (member, message) in [
      ("", "the adapter has several tasks; 'task' or 'task_id' has to say which one"),
      (", \"task_id\": 3", "'task_id' is 3, which is not within 0 and 2"),
      (", \"task\": \"mood\"", "'task' is 'mood'; the adapter has task_0, task_1, task_2"),
    ] {
      let error = #expect(throws: DataError.self) { try predict(nil, member) }
      #expect(error.map { "\($0)" } == "\(tiny.path("rows.jsonl")):1: \(message)")
    }
  }

  /// What is changed in a folder, on which base model, and what is said.
  private static let bad: [(change: [String: String], base: String, message: String)] = [
    (
      ["\"PROMPT_TUNING\"": "\"ADALORA\""], "tiny-bert-classifier",
      "FOLDER is an adapter of PEFT that ptune does not read: peft_type is 'ADALORA'"
    ),
    (
      ["\"SEQ_CLS\"": "\"SEQ_2_SEQ_LM\""], "tiny-bert-classifier",
      "FOLDER is an adapter of PEFT that ptune does not read: task_type is 'SEQ_2_SEQ_LM'"
    ),
    (
      ["\"SEQ_CLS\"": "null"], "tiny-bert-classifier",
      "FOLDER is an adapter of PEFT that ptune does not read: task_type is not set, so its head and its pooling are "
        + "unknown"
    ),
    (
      ["\"num_virtual_tokens\": 2": "\"num_virtual_tokens\": 3"], "tiny-bert-classifier",
      "FOLDER/adapter_model.safetensors: tensor 'prompt_embeddings' has the shape [2, 32], not [3, 32]"
    ),
    (
      ["\"num_virtual_tokens\": 2,": ""], "tiny-bert-classifier",
      "FOLDER is not an adapter folder: adapter_config.json has no key 'num_virtual_tokens'"
    ),
    (
      ["\"num_virtual_tokens\": 2": "\"num_virtual_tokens\": \"2\""], "tiny-bert-classifier",
      "FOLDER is not an adapter folder: adapter_config.json has \"2\" as 'num_virtual_tokens', which should be an "
        + "integer of at least 1"
    ),
    (
      [:], "tiny-roberta",
      "FOLDER/adapter_model.safetensors: tensor 'base_model.classifier.bias' is not a weight of the base model"
    ),
    (
      ["\"PROMPT_TUNING\"": "\"MULTITASK_PROMPT_TUNING\""], "tiny-bert-classifier",
      "FOLDER/adapter_model.safetensors: tensor 'prefix_task_cols' is missing"
    ),
    (
      ["\"SEQ_CLS\"": "\"QUESTION_ANS\""], "tiny-bert-classifier",
      "FOLDER/adapter_model.safetensors: tensor 'base_model.qa_outputs.weight' is missing"
    ),
  ]

  @Test("what does not fit is named", arguments: bad.indices)
  func refused(index: Int) throws {
    let (change, base, message) = Self.bad[index]
    let tiny = try TinyRun(rows: 1)
    try FileManager.default.copyItem(
      atPath: "\(Self.folder)/bert-seq-prompt_tuning", toPath: tiny.path("adapter"))
    var config = try String(contentsOfFile: tiny.path("adapter/adapter_config.json"), encoding: .utf8)
    for (old, new) in change {
      try #require(config.contains(old))
      config = config.replacingOccurrences(of: old, with: new)
    }
    try tiny.write("adapter/adapter_config.json", config)
    let error = #expect(throws: (any Error).self) {
      try Workbench.peftRun(tiny.path("adapter"), base: "\(Workbench.fixtures)/\(base)")
    }
    #expect(
      error.map { "\($0)".replacingOccurrences(of: tiny.path("adapter"), with: "FOLDER") } == message)
    #expect((error as? any HelpfulError)?.help?.isEmpty == false)
  }

  @Test("keys that are not known warn once, and pickles are refused")
  func oddities() throws {
    let tiny = try TinyRun(rows: 1)
    try FileManager.default.copyItem(
      atPath: "\(Self.folder)/bert-seq-prompt_tuning", toPath: tiny.path("adapter"))
    let path = tiny.path("adapter/adapter_config.json")
    let config = try String(contentsOfFile: path, encoding: .utf8)
    try tiny.write(
      "adapter/adapter_config.json",
      config.replacingOccurrences(
        of: "{\n  \"auto", with: "{\n  \"newer\": null,\n  \"added\": [],\n  \"auto"))
    var warnings: [String] = []
    _ = try Workbench.peftRun(tiny.path("adapter")) { warnings.append($1) }
    #expect(
      warnings == [
        "\(tiny.path("adapter")): adapter_config.json has keys that ptune does not know and does not use: added, newer"
      ])
    try FileManager.default.moveItem(
      atPath: tiny.path("adapter/adapter_model.safetensors"), toPath: tiny.path("adapter/adapter_model.bin"))
    let error = #expect(throws: AdapterError.self) { try Workbench.peftRun(tiny.path("adapter")) }
    #expect(error.map { "\($0)" }?.hasSuffix("load it with PEFT and save it again") == true)
  }

  @Test("a tensor of another base model is named with both shapes")
  func otherShapes() throws {
    let tiny = try TinyRun(rows: 1)
    try FileManager.default.copyItem(
      atPath: "\(Self.folder)/gpt2-lm-prompt_tuning", toPath: tiny.path("adapter"))
    try SafetensorsWriter.write(
      [
        TensorData(name: "prompt_embeddings", shape: [2, 32], floats: Array(repeating: 0, count: 64)),
        TensorData(
          name: "base_model.transformer.ln_f.weight", shape: [8], floats: Array(repeating: 0, count: 8)),
      ], metadata: [:], to: tiny.path("adapter/adapter_model.safetensors"))
    let error = #expect(throws: AdapterError.self) { try Workbench.peftRun(tiny.path("adapter")) }
    #expect(
      error.map { "\($0)" }?.hasSuffix(
        "tensor 'base_model.transformer.ln_f.weight' has the shape [8], but the base model's is [32]") == true
    )
  }
}
