import Foundation
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition

/// Folders and rows as other versions of PEFT, and other programs around it, write them.
@Suite("Variants of PEFT's folders") struct PEFTVariantsTests {
  private static let folder = "\(Workbench.fixtures)/peft"

  private static func numbers(_ value: JSONValue?) -> [Float] {
    value?.arrayValue?.flatMap { numbers($0) } ?? (value?.doubleValue).map { [Float($0)] } ?? []
  }

  /// A copy of a fixture with its tensors changed.
  private static func copy(
    _ name: String, to tiny: TinyRun, _ change: ([TensorData]) -> [TensorData]
  ) throws -> String {
    try FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: tiny.path("adapter"))
    let file = try SafetensorsFile("\(folder)/\(name)/adapter_model.safetensors")
    let tensors = try file.names.map {
      TensorData(name: $0, shape: file.tensor($0)?.shape ?? [], floats: try file.floats($0).array)
    }
    try SafetensorsWriter.write(change(tensors), to: tiny.path("adapter/adapter_model.safetensors"))
    return tiny.path("adapter")
  }

  /// The scores of rows.
  private static func scores(_ run: AdapterRun, _ lines: [String], _ tiny: TinyRun) throws -> [Float] {
    let file = try tiny.write("rows.jsonl", lines.joined(separator: "\n") + "\n")
    var scores: [Float] = []
    try Predictor(run, task: nil, data: run.folder.tasks.map(\.data)).predict(rowsOf: file) {
      scores += $0.scores.flatMap { $0 }
    }
    return scores
  }

  @Test(
    "a head is found under every name that it may have",
    arguments: [
      ("bert-seq-prompt_tuning", "base_model.classifier.", "base_model.model.classifier."),
      ("bert-seq-prompt_tuning", "base_model.classifier.", "base_model.classifier.modules_to_save.default."),
      ("bert-seq-prompt_tuning", "base_model.classifier.", "classifier."),
      ("bert-seq-regression", "base_model.classifier.", "base_model.model.classifier.modules_to_save.mine."),
      (
        "roberta-seq-regression", "base_model.classifier.",
        "base_model.model.classifier.modules_to_save.default."
      ),
      ("gpt2-seq-ia3", "base_model.model.score.", "base_model.model.score.modules_to_save.default."),
    ])
  func heads(name: String, old: String, new: String) throws {
    let tiny = try TinyRun(rows: 1)
    let adapter = try Self.copy(name, to: tiny) { tensors in
      tensors.flatMap { tensor -> [TensorData] in
        guard tensor.name.hasPrefix(old) else { return [tensor] }
        let name = new + tensor.name.dropFirst(old.count)
        let renamed = TensorData(name: name, type: tensor.type, shape: tensor.shape, bytes: tensor.bytes)
        guard let wrapper = name.range(of: "modules_to_save.default") else { return [renamed] }
        // What the module was before it was trained.
        let original = name.replacingCharacters(in: wrapper, with: "original_module")
        return [
          renamed,
          TensorData(
            name: original, type: tensor.type, shape: tensor.shape,
            bytes: Array(repeating: 0, count: tensor.bytes.count)),
        ]
      }
    }
    let golden = try JSONValue.read("\(adapter)/golden.json")
    let rows = try #require(golden["input_ids"]?.arrayValue)
    let types = golden["token_type_ids"]?.arrayValue
    let lines = rows.indices.map { index in
      let types = types.map { ", \"token_type_ids\": \($0[index].text(.line))" } ?? ""
      return "{\"input_ids\": \(rows[index].text(.line))\(types)}"
    }
    let found = try Self.scores(Workbench.peftRun(adapter), lines, tiny)
    #expect(absoluteDifference(found, Self.numbers(golden["logits"])) < 1e-4)
  }

  @Test("what no model could compute with is refused by its name")
  func refused() throws {
    func message(_ name: String, _ change: ([TensorData]) -> [TensorData]) throws -> String? {
      let tiny = try TinyRun(rows: 1)
      let adapter = try Self.copy(name, to: tiny, change)
      let error = #expect(throws: AdapterError.self) { try Workbench.peftRun(adapter) }
      return error.map { "\($0)" }
    }
    let broken = try message("bert-seq-prompt_tuning") { tensors in
      tensors.map {
        $0.name == "prompt_embeddings"
          ? TensorData(name: $0.name, shape: $0.shape, floats: Array(repeating: .nan, count: 64)) : $0
      }
    }
    #expect(
      broken?.hasSuffix("tensor 'prompt_embeddings' contains a value that is not a finite number") == true)
    let few = try message("roberta-seq-multitask") { tensors in
      tensors.map {
        let size = $0.bytes.count / $0.shape[0]
        return $0.name == "prefix_task_cols"
          ? TensorData(
            name: $0.name, type: $0.type, shape: [2] + $0.shape.dropFirst(),
            bytes: Array($0.bytes[..<(2 * size)]))
          : $0
      }
    }
    #expect(
      few?.hasSuffix(
        "tensor 'prefix_task_cols' is for 2 tasks, but adapter_config.json has 3 as 'num_tasks'") == true)
  }

  @Test("what replaces weights of the base model is not merged into it")
  func replacing() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Workbench.peftRun("\(Self.folder)/gpt2-lm-prompt_tuning")
    let error = #expect(throws: MergeError.self) {
      try run.mergeVirtualTokens(task: nil, to: tiny.path("merged"))
    }
    #expect(
      error.map { "\($0)" }?.hasSuffix(
        "(transformer.ln_f.bias, transformer.ln_f.weight), which a merged model keeps") == true)
    #expect(!FileSystem.exists(tiny.path("merged")))
  }

  @Test("of a folder with several adapters in it they are named")
  func several() throws {
    let tiny = try TinyRun(rows: 1)
    for name in ["one", "two"] {
      try FileManager.default.createDirectory(atPath: tiny.path("both"), withIntermediateDirectories: true)
      try FileManager.default.copyItem(
        atPath: "\(Self.folder)/bert-seq-prompt_tuning", toPath: tiny.path("both/\(name)"))
    }
    let error = #expect(throws: AdapterError.self) { try Workbench.opened(tiny.path("both")) }
    #expect(
      error.map { "\($0)" }?.hasSuffix(
        "it has no adapter_config.json; its folders one, two have one, so name one of these") == true)
    #expect(try Workbench.peftRun(tiny.path("both/two")).folder.tasks.count == 1)
  }

  @Test("a causal model's text is what the tokenizer makes of it, without a token at its end")
  func plainTexts() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Workbench.peftRun("\(Self.folder)/gpt2-lm-prompt_tuning")
    let ids = run.composition.tokenizer.pieces("the film was good").map(\.id)
    func scores(_ row: String) throws -> [Float] { try Self.scores(run, [row], tiny) }
    #expect(try scores("{\"text\": \"the film was good\"}") == scores("{\"input_ids\": \(ids)}"))
    let error = #expect(throws: DataError.self) { try scores("{\"text\": \"\"}") }
    #expect(error.map { "\($0)" }?.hasSuffix("rows.jsonl:1: the text is empty: it has no tokens") == true)
  }

  @Test("labels without names go by their numbers")
  func labelNumbers() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Workbench.peftRun("\(Self.folder)/bert-seq-five")
    func metrics(_ labels: [String]) throws -> [Double] {
      let rows = labels.map { "{\"input_ids\": [2, 17, 3], \"label\": \($0)}\n" }
      var data = run.folder.tasks[0].data
      data.train = Located(try tiny.write("rows.jsonl", rows.joined()), data.train.place)
      return try run.evaluate(data, task: 0, batchSize: 2) { _, _ in }.metrics.map(\.value)
    }
    #expect(try metrics(["0", "4", "\"3\""]) == metrics(["\"LABEL_0\"", "\"LABEL_4\"", "\"LABEL_3\""]))
    let error = #expect(throws: DataError.self) { try metrics(["5"]) }
    #expect(error.map { "\($0)" }?.contains("label '5' is not one of LABEL_0") == true)
  }

  @Test("a task's number may stand in the column of its name")
  func taskNumbers() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try Workbench.peftRun("\(Self.folder)/roberta-seq-multitask")
    let rows = ["\"task_id\": 2", "\"task\": 2", "\"task\": \"2\"", "\"task\": \"task_2\""].map {
      "{\"input_ids\": [2, 17, 3], \($0)}"
    }
    let scores = try Self.scores(run, rows, tiny)
    #expect(absoluteDifference(scores, (0..<4).flatMap { _ in scores[..<3] }) < 1e-6)
  }

  @Test(
    "scores are read from the last token that stands for no padding, where transformers knows which one does")
  func padding() throws {
    let tiny = try TinyRun(rows: 1)
    try FileManager.default.copyItem(atPath: "\(Workbench.fixtures)/tiny-gpt2", toPath: tiny.path("model"))
    let config = try String(contentsOfFile: tiny.path("model/config.json"), encoding: .utf8)
    try tiny.write(
      "model/config.json",
      config.replacingOccurrences(of: "\"pad_token_id\": null", with: "\"pad_token_id\": 9"))
    let prefix = try Workbench.peftRun("\(Self.folder)/gpt2-seq-prefix_tuning", base: tiny.path("model"))
    let rows = [
      "[2, 17, 40]", "[2, 17, 40, 9]", "[2, 17, 40, 9, 9], \"attention_mask\": [1, 1, 1, 1, 0]",
    ].map { "{\"input_ids\": \($0)}" }
    let scores = try Self.scores(prefix, rows, tiny)
    #expect(absoluteDifference(scores, (0..<3).flatMap { _ in scores[..<3] }) < 1e-6)
    let prompt = try Workbench.peftRun("\(Self.folder)/gpt2-seq-p_tuning_lstm", base: tiny.path("model"))
    let read = try Self.scores(prompt, rows, tiny)
    #expect(absoluteDifference(Array(read[3..<6]), Array(read[..<3])) > 1e-2)
  }

  // MARK: - Added tokens

  /// The base model's tables with five more rows, as PEFT saves them where a tokenizer has new tokens.
  private static func resized(_ names: [String], rows: Int = 5) throws -> [TensorData] {
    let base = try SafetensorsFile("\(Workbench.fixtures)/tiny-llama/model.safetensors")
    return try names.map { name in
      let table = try base.floats(name)
      let added = (0..<rows * table.shape[1]).map { Float($0 % 13) / 13 - 0.5 }
      return TensorData(
        name: "base_model.model.\(name)", shape: [table.shape[0] + rows, table.shape[1]],
        floats: table.array + added)
    }
  }

  @Test(
    "word embeddings that were resized for new tokens take the base's place, with the adapter's own tokenizer"
  )
  func addedTokens() throws {
    let tiny = try TinyRun(rows: 1)
    let plain = try Workbench.peftRun("\(Self.folder)/llama-lm-lora")
    let row = "{\"input_ids\": [5, 17, 40]}"
    let known = try Self.scores(plain, [row], tiny)
    let adapter = try Self.copy("llama-lm-lora", to: tiny) {
      $0 + ((try? Self.resized(["model.embed_tokens.weight", "lm_head.weight"])) ?? [])
    }
    let run = try Workbench.peftRun(adapter)
    let scores = try Self.scores(run, [row], tiny)
    #expect(scores.count == 3 * 205)
    for position in 0..<3 {
      let (old, new) = (
        known[200 * position..<200 * position + 200], scores[205 * position..<205 * position + 200]
      )
      #expect(absoluteDifference(new, old) < 1e-5)
    }
    #expect(try Self.scores(run, ["{\"input_ids\": [5, 204, 40]}"], tiny).allSatisfy(\.isFinite))

    // A tokenizer beside the adapter has the new tokens.
    let base = try JSONValue.read("\(Workbench.fixtures)/tiny-llama/tokenizer.json")
    var document = try #require(base.objectValue)
    let added = try #require(document["added_tokens"]?.arrayValue)
    var token = try #require(added[0].objectValue)
    (token["id"], token["content"]) = (.int(203), .string("<new>"))
    document["added_tokens"] = .array(added + [.object(token)])
    try tiny.write("adapter/tokenizer.json", JSONValue.object(document).text(.line))
    let own = try Workbench.peftRun(adapter)
    #expect(own.composition.tokenizer.pieces("film<new>").last?.id == 203)
    #expect(
      try Self.scores(own, ["{\"text\": \"<new>\"}"], tiny)
        == Self.scores(run, ["{\"input_ids\": [203]}"], tiny))
  }

  @Test("word embeddings and an output layer for different numbers of tokens are refused")
  func otherRows() throws {
    let tiny = try TinyRun(rows: 1)
    let adapter = try Self.copy("llama-lm-lora", to: tiny) {
      $0 + ((try? Self.resized(["lm_head.weight"])) ?? [])
    }
    let error = #expect(throws: TrainingError.self) { try Workbench.peftRun(adapter) }
    #expect(
      error.map { "\($0)" }?.hasSuffix(
        "'base_model.model.lm_head.weight' has 205 rows, but the word embeddings have 200") == true)
  }
}
