import Foundation
import PTuneEngine
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition

@Suite("What can be seen of a prompt") struct InspectionTests {
  private static func cases(_ name: String) throws -> [JSONValue] {
    try #require(try JSONValue.read("\(Workbench.fixtures)/\(name).json").arrayValue)
  }

  private static func numbers(_ value: JSONValue?) -> [Double] {
    value?.arrayValue?.flatMap { numbers($0) } ?? value?.doubleValue.map { [$0] } ?? []
  }

  private static func difference(_ a: [Double], _ b: [Double]) -> Double {
    a.count == b.count ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
  }

  @Test("the attention that goes to virtual tokens is what transformers says with PEFT's adapters")
  func attention() throws {
    var run: (name: String, run: AdapterRun)?
    for reference in try Self.cases("attention-shares") {
      let name = try #require(reference["adapter"]?.stringValue)
      if run?.name != name { run = (name, try Workbench.peftRun("\(Workbench.fixtures)/peft/\(name)")) }
      let model = try #require(run?.run.composition.model)
      let tokens = Self.numbers(reference["input_ids"]).map { Int32($0) }
      let layers = try model.attentionToPrompt(PackedBatch([.init(tokens: tokens)], training: false))
      #expect(layers.map(\.layer) == Array(layers.indices))
      for (part, found) in [
        ("heads", layers.flatMap(\.heads)), ("tokens", layers.flatMap(\.tokens)),
        ("virtual_tokens", layers.flatMap(\.virtualTokens)),
      ] {
        #expect(
          Self.difference(found, Self.numbers(reference[part])) < 2e-6,
          "\(name), \(tokens.count) tokens, \(part)")
      }
    }
  }

  @Test("a hidden prefix gets as much attention as the keys and values that it becomes for PEFT")
  func hiddenAttention() throws {
    for model in ["tiny-bert", "tiny-llama"] {
      let tiny = try TinyRun(rows: 1)
      let run = try PEFTExportTests.train(
        tiny, model, "{plugin: prefix-tuning, virtual_tokens: 3, form: hidden}", [("mood", .sequence(model))])
      _ = try run.exportPEFT(task: nil, to: tiny.path("peft"))
      let read = try PEFTExportTests.reread(tiny.path("peft"))
      let layers = try [run, read].map {
        try $0.composition.model.attentionToPrompt(
          PackedBatch([.init(tokens: [2, 17, 40, 9, 3])], training: false))
      }
      #expect(layers[0].allSatisfy { $0.mean > 0 && $0.virtualTokens.count == 3 })
      for part in [\PromptAttention.heads, \.tokens, \.virtualTokens] {
        let (ours, theirs) = (
          layers[0].flatMap { $0[keyPath: part] }, layers[1].flatMap { $0[keyPath: part] }
        )
        #expect(Self.difference(ours, theirs) < 1e-6, "\(model)")
      }
    }
  }

  @Test("each sequence of a batch counts alike, whatever stands beside it")
  func batches() throws {
    let model = try Workbench.peftRun("\(Workbench.fixtures)/peft/llama-lm-prefix_projection").composition
      .model
    func heads(_ sequences: [[Int32]]) throws -> [Double] {
      try model.attentionToPrompt(PackedBatch(sequences.map { .init(tokens: $0) }, training: false))
        .flatMap(\.heads)
    }
    let (first, second) = (try heads([[4, 7, 9, 11]]), try heads([[12, 3, 5, 80]]))
    let both = try heads([[4, 7, 9, 11], [12, 3, 5, 80]])
    #expect(Self.difference(both, zip(first, second).map { ($0 + $1) / 2 }) < 1e-6)
  }

  @Test("the nearest tokens of rows are those with the largest cosines, among word embeddings and at layer 0")
  func nearest() throws {
    for reference in try Self.cases("nearest-tokens") {
      let name = try #require(reference["model"]?.stringValue)
      let model = try Workbench.base(checkpoint: "\(Workbench.fixtures)/\(name)")
      let rows = (reference["rows"]?.arrayValue ?? []).map { Self.numbers($0).map { Float($0) } }
      let (near, norm) = try model.nearestTokens(
        to: rows, in: reference["space"] == "input" ? .input : .firstLayer, count: 3)
      #expect(
        near.map { $0.map { Double($0.id) } }.flatMap { $0 } == Self.numbers(reference["ids"]), "\(name)")
      #expect(Self.difference(near.flatMap { $0.map(\.cosine) }, Self.numbers(reference["cosines"])) < 2e-6)
      #expect(abs(norm - (reference["mean_norm"]?.doubleValue ?? 0)) < 1e-5)
    }
  }

  /// An adapter of three virtual tokens as it starts, on the tiny BERT.
  private func started(
    _ adapter: String, _ hyperparameters: [String: HyperparameterValue] = [:], selector: String? = nil,
    tasks: [String] = ["mood"]
  ) throws -> Composition {
    try Workbench.compose(
      checkpoint: "tiny-bert",
      adapter: ComponentChoice(
        plugin: adapter, hyperparameters: hyperparameters.merging(["virtual_tokens": .int(3)]) { $1 }),
      selector: selector.map { ComponentChoice(plugin: $0) },
      heads: tasks.map {
        (
          $0,
          ComponentChoice(
            plugin: "sequence-classification", hyperparameters: ["labels": .strings(["bad", "good"])])
        )
      })
  }

  private static let text: [String: HyperparameterValue] = [
    "initialization": .string("text"), "initial_text": .string("the film was"),
  ]

  @Test("rows that start as words are nearest to these words")
  func words() throws {
    let prompts = try PromptInspector(started("prompt-tuning", Self.text), nearest: 2).prompts(task: 0)
    #expect(prompts.count == 1 && prompts[0].kind == .input && prompts[0].layers.isEmpty)
    let near = prompts[0].tokens.map(\.near)
    #expect(near.map(\.count) == [2, 2, 2])
    #expect(near.map { $0[0].token } == ["the", "film", "was"])
    #expect(near.allSatisfy { abs($0[0].cosine - 1) < 1e-6 && $0[1].cosine < 0.999 })
    #expect(prompts[0].similarity.indices.allSatisfy { prompts[0].similarity[$0][$0] == 1 })
    let similarity = prompts[0].similarity
    #expect(
      similarity.indices.allSatisfy { a in
        similarity.indices.allSatisfy { similarity[a][$0] == similarity[$0][a] }
      })
  }

  @Test("a hidden prefix is compared at layer 0, where its first row stands as the first word does")
  func hidden() throws {
    let start = Self.text.merging(["form": .string("hidden")]) { $1 }
    let prompt = try #require(
      PromptInspector(started("prefix-tuning", start), nearest: 1).prompts(task: 0).first)
    #expect(prompt.kind == .hidden && prompt.layers.map(\.layer) == [0, 1, 2])
    #expect(prompt.layers.allSatisfy { $0.norms.map(\.part) == ["rows"] })
    #expect(prompt.tokens[0].near[0].token == "the" && abs(prompt.tokens[0].near[0].cosine - 1) < 1e-5)
    let upper = try #require(
      PromptInspector(
        started("p-tuning-v2", ["form": .string("hidden"), "depth": .int(1)]), nearest: 1
      ).prompts(task: 0).first)
    #expect(upper.layers.map(\.layer) == [2] && upper.tokens.allSatisfy { $0.near.isEmpty })
    #expect(upper.vocabularyNorm == nil && upper.note?.contains("no row at layer 0") == true)
  }

  @Test("keys and values have norms and likeness alone, and it is said why")
  func keysAndValues() throws {
    let prompt = try #require(PromptInspector(started("prefix-tuning"), nearest: 3).prompts(task: 0).first)
    #expect(prompt.kind == .keysAndValues && prompt.tokens.allSatisfy { $0.near.isEmpty && $0.norm > 0 })
    #expect(
      prompt.layers.count == 3 && prompt.layers.allSatisfy { $0.norms.map(\.part) == ["keys", "values"] })
    #expect(prompt.note?.contains("not in the space of words") == true)
    // A token's length is that of all of its parts together.
    let rows = try started("prefix-tuning").model.promptRows(of: 0)
    #expect(rows.count == 6)
    let first = rows.reduce(0.0) { sum, part in sum + part.rows[0].reduce(0) { $0 + Double($1) * Double($1) }
    }
    #expect(abs(prompt.tokens[0].norm - first.squareRoot()) < 1e-9)
  }

  @Test("a pool is shown entry by entry, with what a task has for itself")
  func pool() throws {
    let pool = try #require(
      PromptInspector(started("prompt-pool", ["pool_size": .int(4)], selector: "attention"), nearest: 1)
        .prompts(task: 0).first)
    #expect(pool.kind == .pool && pool.entryLength == 3 && pool.tokens.count == 12)
    #expect(pool.similarity.count == 4 && pool.layers.isEmpty)
    #expect(pool.tokens.allSatisfy { abs($0.near[0].cosine - 1) < 1e-6 })
    let layers = try #require(
      PromptInspector(
        started("prompt-pool", ["pool_size": .int(2), "at": .string("layers")], selector: "attention"),
        nearest: 1
      ).prompts(task: 0).first)
    #expect(layers.layers.map(\.layer) == [0, 1, 2] && layers.similarity.count == 2)
    let own = try started(
      "multitask-prompt-tuning", ["pool_size": .int(2), "private_entries": .int(1)], selector: "task",
      tasks: ["mood", "tone"])
    #expect(try PromptInspector(own, nearest: 0).prompts(task: 1).first?.similarity.count == 3)
    #expect(try PromptInspector(own, nearest: 0).taskSimilarity() == nil)
  }

  @Test("the prompts that tasks have are compared where they differ")
  func tasks() throws {
    let shared = try started("prompt-tuning", tasks: ["mood", "tone"])
    #expect(try PromptInspector(shared, nearest: 0).taskSimilarity() == nil)
    let factors = try started(
      "multitask-prompt-tuning", ["form": .string("factors")], tasks: ["mood", "tone"])
    let similarity = try #require(try PromptInspector(factors, nearest: 0).taskSimilarity())
    #expect(similarity.map { $0.count } == [2, 2] && similarity[0][1] < 1 && similarity[0][1] > 0.5)
  }

  @Test("what attaches to layers has no virtual tokens; beside one that has, each is looked at alone")
  func several() throws {
    #expect(
      try PromptInspector(
        Workbench.compose(
          checkpoint: "tiny-bert", adapter: ComponentChoice(plugin: "lora"),
          further: [ComponentChoice(plugin: "prefix-tuning"), ComponentChoice(plugin: "prompt-tuning")],
          head: ComponentChoice(
            plugin: "sequence-classification", hyperparameters: ["labels": .strings(["bad", "good"])])),
        nearest: 0
      ).prompts(task: 0).map { "\($0.adapter) \($0.kind.rawValue) \($0.tokens.count)" }
        == ["prefix-tuning key-value 20", "prompt-tuning input 20"])
  }

  @Test("a folder says what it is without its base model: PEFT's, and ptune's own")
  func facts() throws {
    let facts = try AdapterFacts(
      "\(Workbench.fixtures)/peft/bert-seq-prefix_tuning", resolver: ModelResolver())
    #expect(facts.peft?.type == "PREFIX_TUNING" && facts.peft?.task == "SEQ_CLS")
    #expect(facts.modelName == "tiny-bert-classifier" && facts.adapters.isEmpty)
    #expect(facts.settings["num_virtual_tokens"] == 2 && facts.settings["token_dim"] == 32)
    #expect(facts.parameters == facts.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) })
    let file = try SafetensorsFile("\(facts.folder)/adapter_model.safetensors")
    for tensor in facts.tensors {
      let values = try file.floats(tensor.name).array
      #expect(abs(tensor.norm - norm(values)) < 1e-9)
      #expect(abs(tensor.rootMeanSquare - norm(values) / Double(values.count).squareRoot()) < 1e-9)
    }
  }
}
