import Foundation
import PTuneFormats
import PTuneText
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition

@Suite("Predictions") struct PredictorTests {
  /// A trained adapter over the tiny BERT.
  private func adapter(_ tiny: TinyRun) throws -> AdapterRun {
    let (result, _) = try tiny.train(
      try tiny.spec(adapter: "{plugin: prompt-tuning, virtual_tokens: 3}", ["training.max_steps=3"]))
    return try tiny.load(result)
  }

  private func lines(_ predictor: Predictor, _ path: String, chunk: Int = 256) throws -> [String] {
    var lines: [String] = []
    try predictor.predict(rowsOf: path, chunk: chunk) { lines.append($0.line(scores: true)) }
    return lines
  }

  @Test("rows come in their order, however they are read and batched")
  func order() throws {
    let tiny = try TinyRun()
    let run = try adapter(tiny)
    let data = run.folder.tasks[0].data
    let one = try lines(Predictor(run, task: 0, data: [data], batchSize: 1), tiny.path("test.tsv"))
    let some = try lines(
      Predictor(run, task: 0, data: [data], batchSize: 7), tiny.path("test.tsv"), chunk: 10)
    #expect(one.count == 24)
    func label(_ line: String) throws -> String? { try JSONValue.parse(line)["label"]?.stringValue }
    #expect(try one.map(label) == some.map(label))
  }

  @Test("text, token ids and a single text are the same to it")
  func forms() throws {
    let tiny = try TinyRun()
    let run = try adapter(tiny)
    // Alone in its batch each row is computed alike to the bit.
    let predictor = Predictor(run, task: 0, data: [run.folder.tasks[0].data], batchSize: 1)
    let ids = try run.composition.tokenizer.encode("a good film").ids
    let file = try tiny.write(
      "rows.jsonl",
      """
      {"id": "a", "sentence": "a good film"}
      {"id": "b", "text": "a good film", "label": "unheard of"}
      {"id": "c", "input_ids": \(ids)}
      {"id": 4, "input_ids": \(ids), "token_type_ids": \(ids.map { _ in 0 })}

      """)
    let single = try predictor.predict("a good film", pair: nil).line(scores: true)
    let expected = ["\"a\"", "\"b\"", "\"c\"", "4"].map { "{\"id\": \($0), \(single.dropFirst())" }
    #expect(try lines(predictor, file) == expected)
  }

  @Test("lines of plain text are texts, blank ones too")
  func plainText() throws {
    let tiny = try TinyRun()
    let run = try adapter(tiny)
    var data = run.folder.tasks[0].data
    data.format = .text
    let file = try tiny.write("lines.txt", "a good film\n\na\tfilm\n")
    let predictor = Predictor(run, task: 0, data: [data], batchSize: 1)
    let found = try lines(predictor, file)
    #expect(found.count == 3)
    #expect(found[0] == (try predictor.predict("a good film", pair: nil).line(scores: true)))
  }

  private static let badRows: [(row: String, message: String)] = [
    (#"{"other": 1}"#, "no column \"sentence\"; it has \"other\""),
    (#"{"input_ids": 7}"#, "'input_ids' has to be a JSON list of integers"),
    (#"{"input_ids": [1.5]}"#, "'input_ids' has to be a JSON list of integers"),
    (#"{"input_ids": []}"#, "'input_ids' is empty"),
    (#"{"input_ids": [2, 200]}"#, "'input_ids' contains 200, which is not within 0 and 199"),
    (
      #"{"input_ids": [2, 3], "token_type_ids": [0]}"#,
      "'token_type_ids' has 1 elements, but 'input_ids' has 2"
    ),
    (
      #"{"input_ids": [2, 3], "token_type_ids": [1, 2]}"#,
      "'token_type_ids' contains 2, but the base model's types are 0 to 1 (type_vocab_size in its config.json)"
    ),
    (
      #"{"input_ids": [2, 3], "token_type_ids": [-1, 0]}"#,
      "'token_type_ids' contains -1, which is not within 0 and 2147483646"
    ),
    ("{\"input_ids\": \(Array(repeating: 5, count: 62))}", "'input_ids' has 62 ids; at most 61 fit"),
    ("[]", "the line is not a JSON object"),
  ]

  @Test("the rows before a bad one are predicted, and the error names its line", arguments: badRows)
  func badRow(row: String, message: String) throws {
    let tiny = try TinyRun()
    let run = try adapter(tiny)
    let predictor = Predictor(run, task: 0, data: [run.folder.tasks[0].data])
    let good = #"{"text": "a good film"}"#
    let file = try tiny.write("rows.jsonl", "\(good)\n\(good)\n\(row)\n\(good)\n")
    var count = 0
    let error = #expect(throws: (any Error).self) { try predictor.predict(rowsOf: file) { _ in count += 1 } }
    #expect(count == 2)
    #expect(error.map { "\($0)" } == "\(file):3: \(message)")
  }

  @Test("a model of three token types takes rows with the third")
  func threeTypes() throws {
    let tiny = try TinyRun()
    let model = tiny.path("model")
    try FileManager.default.copyItem(atPath: "\(Workbench.fixtures)/tiny-bert", toPath: model)
    let config = try String(contentsOfFile: model + "/config.json", encoding: .utf8)
    try tiny.write(
      "model/config.json",
      config.replacingOccurrences(of: "\"type_vocab_size\": 2", with: "\"type_vocab_size\": 3"))
    let file = try SafetensorsFile("\(Workbench.fixtures)/tiny-bert/model.safetensors")
    let tensors = try file.tensors.map { tensor -> TensorData in
      let values = try file.floats(tensor.name)
      guard tensor.name.hasSuffix("token_type_embeddings.weight") else {
        return TensorData(name: tensor.name, shape: tensor.shape, floats: values.array)
      }
      return TensorData(
        name: tensor.name, shape: [3, tensor.shape[1]],
        floats: values.array + Array(repeating: 0.5, count: tensor.shape[1]))
    }
    try SafetensorsWriter.write(tensors, metadata: [:], to: model + "/model.safetensors")
    let spec = try tiny.spec(
      adapter: "{plugin: prompt-tuning, virtual_tokens: 3}",
      ["training.max_steps=1", "base.model=\(model)"])
    let run = try tiny.load(try tiny.train(spec).result)
    let predictor = Predictor(run, task: 0, data: [run.folder.tasks[0].data])
    func rows(_ types: [Int]) throws -> String {
      try tiny.write(
        "rows.jsonl", types.map { "{\"input_ids\": [2, 9, 3], \"token_type_ids\": [0, \($0), 0]}\n" }.joined()
      )
    }
    let found = try lines(predictor, rows([0, 1, 2]))
    #expect(Set(found).count == 3)
    let error = #expect(throws: DataError.self) { try lines(predictor, rows([0, 3])) }
    #expect(
      error?.description
        == "\(tiny.path("rows.jsonl")):2: 'token_type_ids' contains 3, but the base model's types are 0 to 2 "
        + "(type_vocab_size in its config.json)")
  }

  @Test("tasks are found by their names")
  func tasks() throws {
    let tiny = try TinyRun()
    let run = try adapter(tiny)
    #expect(try run.task(named: nil) == 0)
    #expect(try run.task(named: "tone") == 0)
    #expect(throws: AdapterError.unknownTask("mood", known: ["tone"])) { try run.task(named: "mood") }
  }
}
