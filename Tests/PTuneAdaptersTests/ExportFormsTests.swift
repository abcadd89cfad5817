import Foundation
import PTuneEngine
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneFormats
@testable import PTuneGeneration

@Suite("What an adapter becomes when it is exported") struct ExportFormsTests {
  private static let language = PEFTExportTests.Head.language

  private static func scores(_ lines: [String]) throws -> [Float] {
    try lines.flatMap { line -> [Float] in
      func numbers(_ value: JSONValue?) -> [Float] {
        value?.arrayValue?.flatMap { numbers($0) } ?? (value?.doubleValue).map { [Float($0)] } ?? []
      }
      return numbers(try JSONValue.parse(line)["scores"])
    }
  }

  @Test(
    "a hidden prefix is keys and values to PEFT, and scores stay what they were",
    arguments: ["tiny-bert", "tiny-roberta", "tiny-gpt2", "tiny-llama", "tiny-qwen2"])
  func hidden(model: String) throws {
    let tiny = try TinyRun(rows: 1)
    let isCausal = !model.contains("bert")
    let run = try PEFTExportTests.train(
      tiny, model, "{plugin: p-tuning-v2, virtual_tokens: 3, form: hidden}",
      [("mood", isCausal ? Self.language : .sequence(model))])
    let export = try run.exportPEFT(task: nil, to: tiny.path("peft"))
    #expect(export.method == "PREFIX_TUNING")
    let read = try PEFTExportTests.reread(tiny.path("peft"))
    #expect(read.folder.adapters[0].hyperparameters["form"] == .string("key-value"))
    #expect(
      try absoluteDifference(
        Self.scores(PEFTExportTests.lines(read, tiny)), Self.scores(PEFTExportTests.lines(run, tiny))) < 1e-5)
  }

  @Test("an entry of a pool is a prompt; of a pool with one entry it computes the same")
  func pool() throws {
    let tiny = try TinyRun(rows: 1)
    func pool(_ options: String) throws -> AdapterRun {
      try PEFTExportTests.train(
        tiny, "tiny-gpt2", "{plugin: prompt-pool, virtual_tokens: 2, \(options)}", [("tale", Self.language)],
        selector: "selector: \(options.contains("concat") ? "{plugin: top-k, k: 2}" : "attention")")
    }
    let single = try pool("pool_size: 1")
    _ = try single.exportPEFT(task: nil, entries: [0], to: tiny.path("peft"))
    let read = try PEFTExportTests.reread(tiny.path("peft"))
    #expect(read.folder.adapters[0].plugin == "prompt-tuning")
    #expect(
      try absoluteDifference(
        Self.scores(PEFTExportTests.lines(read, tiny)), Self.scores(PEFTExportTests.lines(single, tiny)))
        < 1e-5)

    let three = try pool("pool_size: 3, combine: concatenation, chosen: 2, keys: learned")
    _ = try three.exportPEFT(task: nil, entries: [2, 0], to: tiny.path("peft"))
    let rows = try SafetensorsFile("\(tiny.path("peft"))/adapter_model.safetensors").floats(
      "prompt_embeddings")
    let all = try SafetensorsFile("\(three.folder.path)/adapter_model.safetensors").floats("pool").array
    #expect(rows.shape == [4, 32] && rows.array == Array(all[128...] + all[..<64]))

    func message(_ run: AdapterRun, _ entries: [Int]) -> String? {
      let error = #expect(throws: FixedPromptError.self) {
        try run.exportPEFT(task: nil, entries: entries, to: tiny.path("more"))
      }
      return error.map { "\($0)" }
    }
    #expect(message(three, [3]) == "the pool has no entry 3")
    #expect(
      message(try pool("pool_size: 3"), [0, 1])?.hasSuffix("so several of them do not make one prompt")
        == true)
    #expect(
      message(try pool("pool_size: 3, at: layers"), [0])?.hasPrefix("the pool's rows stand at layers") == true
    )
    let error = #expect(throws: FixedPromptError.self) {
      try three.mergeVirtualTokens(task: nil, to: tiny.path("more"))
    }
    #expect(error.map { "\($0)" }?.hasPrefix("which entries of the pool a text gets depends") == true)
    #expect(!FileSystem.exists(tiny.path("more")))
  }

  @Test(
    "a prompt's rows are tokens of the merged model, which scores texts with them as the adapter does",
    arguments: [
      ("tiny-gpt2", "{plugin: prompt-tuning, virtual_tokens: 3}"),
      ("tiny-llama", "{plugin: p-tuning, virtual_tokens: 3, encoder: mlp}"),
      ("tiny-qwen2", "{plugin: multitask-prompt-tuning, form: factors, virtual_tokens: 3}"),
    ])
  func merged(model: String, adapter: String) throws {
    let tiny = try TinyRun(rows: 1)
    let run = try PEFTExportTests.train(tiny, model, adapter, [("tale", Self.language)])
    let merged = try run.mergeVirtualTokens(task: nil, to: tiny.path("merged"))
    #expect(merged.firstID == 200 && merged.tokens == ["<|ptune_0|>", "<|ptune_1|>", "<|ptune_2|>"])
    #expect(
      merged.pattern.hasPrefix("<|ptune_0|><|ptune_1|><|ptune_2|>") && merged.pattern.contains("{text}"))
    let bare = try GenerationModel(
      baseModel: tiny.path("merged"), threads: 2, registry: Workbench.factory().registry, log: { _, _ in })
    func scores(_ model: Model, _ tokens: [Int32]) throws -> [Float] {
      try model.vocabularyScores(PackedBatch([.init(tokens: tokens)], training: false))
    }
    for text: [Int32] in [[17, 40, 9], [61]] {
      let expected = try scores(run.composition.model, text)
      let found = try scores(bare.model, [200, 201, 202] + text)
      try #require(expected.count == (3 + text.count) * 200 && found.count == (3 + text.count) * 203)
      let old = (0..<3 + text.count).flatMap { found[$0 * 203..<$0 * 203 + 200] }
      #expect(absoluteDifference(old, expected) < 1e-4)
      // Nothing ever says a virtual token: its score is the mean of the others'.
      for row in 0..<3 + text.count {
        let scores = found[row * 203..<(row + 1) * 203]
        #expect(try #require(scores.suffix(3).max()) < #require(scores.prefix(200).max()))
      }
    }
    #expect(bare.tokenizer.pieces("<|ptune_1|>").map(\.id) == [201])
    let again = #expect(throws: ExportTargetError.self) {
      try run.mergeVirtualTokens(task: nil, to: tiny.path("merged"))
    }
    #expect(again.map { "\($0)" } == "'\(tiny.path("merged"))' is there already")
  }

  @Test(
    "of a GGUF file the merged model is one, in which all other bytes stay, quantised ones too",
    arguments: ["gpt2", "llama-quantised"])
  func mergedGGUF(model: String) throws {
    let tiny = try TinyRun(rows: 1)
    let run = try PEFTExportTests.train(
      tiny, "gguf/\(model).gguf", "{plugin: prompt-tuning, virtual_tokens: 3}", [("tale", Self.language)])
    let merged = try run.mergeVirtualTokens(task: nil, to: tiny.path("merged.gguf"))
    #expect(merged.firstID == 200 && merged.pattern == "<|ptune_0|><|ptune_1|><|ptune_2|>{text}")
    let (old, new) = try (
      GGUFFile("\(Workbench.fixtures)/gguf/\(model).gguf"), GGUFFile(tiny.path("merged.gguf"))
    )
    let tables = ["token_embd.weight", "output.weight"]
    for tensor in old.tensors {
      let written = try #require(new.tensor(tensor.name))
      if tables.contains(tensor.name) {
        #expect(written.shape == [203, 32])
        #expect(
          try Array(new.floats(tensor.name).array.prefix(200 * 32)) == old.floats(tensor.name).array)
      } else {
        #expect(written.type == tensor.type && written.shape == tensor.shape)
        #expect(old.unsafeBytes(of: tensor).elementsEqual(new.unsafeBytes(of: written)))
      }
    }
    #expect(try #require(new.tensor("token_embd.weight")).type == .f32)
    let output = try #require(new.tensor("output.weight"))
    #expect(output.type == (old.tensor("output.weight") ?? old.tensor("token_embd.weight"))?.type)
    #expect(Set(new.metadata.keys) == Set(old.metadata.keys))
    #expect(try new.integers("tokenizer.ggml.token_type")?.suffix(4) == [1, 3, 3, 3])

    let bare = try GenerationModel(
      baseModel: tiny.path("merged.gguf"), threads: 2, registry: Workbench.factory().registry,
      log: { _, _ in })
    #expect(bare.tokenizer.pieces("<|ptune_1|>").map(\.id) == [201])
    func scores(_ model: Model, _ tokens: [Int32]) throws -> [Float] {
      try model.vocabularyScores(PackedBatch([.init(tokens: tokens)], training: false))
    }
    let expected = try scores(run.composition.model, [17, 40, 9])
    let found = try scores(bare.model, [200, 201, 202, 17, 40, 9])
    for row in 0..<6 {
      let line = found[row * 203..<(row + 1) * 203]
      #expect(
        absoluteDifference(Array(line.prefix(200)), Array(expected[row * 200..<(row + 1) * 200])) < 1e-4)
      #expect(try #require(line.suffix(3).max()) < #require(line.prefix(200).max()))
    }
    let again = #expect(throws: ExportTargetError.self) {
      try run.mergeVirtualTokens(task: nil, to: tiny.path("merged.gguf"))
    }
    #expect(again.map { "\($0)" } == "'\(tiny.path("merged.gguf"))' is there already")
    let folder = #expect(throws: ExportTargetError.self) {
      try run.mergeVirtualTokens(task: nil, to: tiny.path("merged"))
    }
    #expect(
      folder.map { "\($0)" }?.hasSuffix("is not the name of a GGUF file, as the base model is one") == true)
  }

  @Test("a classifier goes into the merged model with its labels")
  func mergedClassifier() throws {
    let tiny = try TinyRun(rows: 1)
    let run = try PEFTExportTests.train(
      tiny, "tiny-bert", "{plugin: prompt-tuning, virtual_tokens: 2}", [("mood", .sequence("tiny-bert"))])
    let merged = try run.mergeVirtualTokens(task: nil, to: tiny.path("merged"))
    #expect(merged.pattern == "<|ptune_0|><|ptune_1|>[CLS]{text}[SEP]")
    let config = try JSONValue.read(tiny.path("merged/config.json"))
    #expect(config["vocab_size"] == 202 && config["id2label"]?["1"] == "positive")
    let file = try SafetensorsFile(tiny.path("merged/model.safetensors"))
    #expect(file.tensor("classifier.weight")?.shape == [2, 32])
    let words = try String(contentsOfFile: tiny.path("merged/vocab.txt"), encoding: .utf8)
    #expect(words.hasSuffix("<|ptune_0|>\n<|ptune_1|>\n"))
  }

  @Test("numbers narrow as IEEE 754 and PyTorch round them")
  func narrowing() {
    let values: [Float] = [0, 1, -2.5, 65504, 65520, 1e-7, 6.1e-5, 0.1, 3.3e38, 1.00390625, .infinity]
    let half: [UInt16] = [
      0, 0x3c00, 0xc100, 0x7bff, 0x7c00, 0x0002, 0x03ff, 0x2e66, 0x7c00, 0x3c04, 0x7c00,
    ]
    let brain: [UInt16] = [
      0, 0x3f80, 0xc020, 0x4780, 0x4780, 0x33d7, 0x3880, 0x3dcd, 0x7f78, 0x3f80, 0x7f80,
    ]
    func words(_ type: TensorType) -> [UInt16]? {
      type.bytes(of: values).map { bytes in
        stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
      }
    }
    #expect(words(.f16) == half)
    #expect(words(.bf16) == brain)
    #expect(TensorType.i32.bytes(of: values) == nil)
  }
}
