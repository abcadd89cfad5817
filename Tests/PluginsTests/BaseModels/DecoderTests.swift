import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneComposition

/// The causal models' plugins against transformers, and what they refuse.
@Suite("Decoders") struct DecoderTests {
  /// The base model's scores over its vocabulary, for every token.
  private final class VocabularyHead: TaskHead {
    static let scoreRows = ScoreRows.perToken
    func encode(_ example: Example, into targets: Targets) throws {}
    func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
      Base.vocabularyScores(hidden.rows(at: try batch.textRows()))
    }
    func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor { scores.mean() }
    func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {}
    func measure(_ evaluation: Evaluation) throws {}
  }

  private static func model(_ checkpoint: AlteredCheckpoint, plugin: String? = nil) throws -> Model {
    let type = try #require(plugin ?? checkpoint.original.config.modelType)
    let model = try Workbench.base(type, checkpoint, Workbench.factory())
    try model.addHead(ComponentIdentity(component: "task head vocabulary", owner: "head.task")) { _ in
      VocabularyHead()
    }
    return model
  }

  /// Keys with dots for what lies in objects.
  private static func flat(_ object: JSONObject, in place: String) -> [String: ConfigurationValue] {
    var values: [String: ConfigurationValue] = [:]
    for (key, value) in object {
      switch value {
      case .int(let number): values[place + key] = .integer(number)
      case .double(let number): values[place + key] = .number(number)
      case .bool(let flag): values[place + key] = .boolean(flag)
      case .string(let text): values[place + key] = .string(text)
      case .object(let members): values.merge(flat(members, in: "\(place)\(key).")) { $1 }
      default: break
      }
    }
    return values
  }

  @Test(
    "hidden rows and vocabulary scores equal transformers', in one batch and alone",
    arguments: Workbench.cases("decoders-forward") + Workbench.cases("gguf/forward"))
  func forward(_ fixture: FixtureCase) throws {
    let (json, file) = (fixture.json, try fixture.tensors())
    let changes = try #require(json["config"]?.objectValue as JSONObject?)
    let checkpoint = try AlteredCheckpoint(try json.text("checkpoint"), changes: Self.flat(changes, in: ""))
    let model = try Self.model(checkpoint)
    let sequences = try json.list("tokens").map {
      PackedBatch.Sequence(tokens: try #require($0.arrayValue).map { Int32(try #require($0.intValue)) })
    }
    let hidden = try file.floats(try json.text("hidden")).array
    let logits = try file.floats(try json.text("logits")).array
    let together = PackedBatch(sequences, training: false)
    #expect(absoluteDifference(try model.hiddenRows(together).values, hidden) < 1e-4)
    #expect(absoluteDifference(try model.scores(together).perExample.flatMap { $0 }, logits) < 1e-4)
    let alone = try sequences.flatMap { try model.hiddenRows(PackedBatch([$0], training: false)).values }
    #expect(absoluteDifference(alone, hidden) < 1e-4)
  }

  @Test(
    "names without a prefix load as well",
    arguments: [("tiny-gpt2", "transformer."), ("tiny-llama", "model.")])
  func bareNames(_ folder: String, _ prefix: String) throws {
    let batch = PackedBatch([PackedBatch.Sequence(tokens: [5, 6, 7])], training: false)
    let bare = try Self.model(try AlteredCheckpoint(folder, dropsPrefix: prefix))
    let whole = try Self.model(try AlteredCheckpoint(folder))
    let rows = (try bare.hiddenRows(batch).values, try whole.hiddenRows(batch).values)
    #expect(rows.0 == rows.1)
  }

  @Test("Mistral's window is a limit of positions")
  func window() throws {
    let checkpoint = try AlteredCheckpoint(
      "tiny-llama", changes: ["sliding_window": .integer(16), "model_type": .string("mistral")])
    let model = try Self.model(checkpoint, plugin: "mistral")
    #expect(model.facts?.positions == 16)
  }

  @Test("a model without a head refuses to score the vocabulary")
  func noHead() throws {
    let checkpoint = try AlteredCheckpoint("tiny-qwen2", changes: ["tie_word_embeddings": .boolean(false)])
    let batch = PackedBatch([PackedBatch.Sequence(tokens: [5])], training: false)
    let failure = #expect(throws: EngineFailure.self) { try Self.model(checkpoint).scores(batch) }
    #expect(
      failure?.reason.contains(
        "the checkpoint has no lm_head.weight, and config.json does not tie it to the word embeddings")
        == true)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let folder: String
    let changes: [String: ConfigurationValue]
    let reason: String

    var testDescription: String { "\(folder): \(reason)" }
  }

  @Test(
    "a config.json that does not fit is refused by the name of its key",
    arguments: [
      Refusal(
        folder: "tiny-gpt2", changes: ["n_head": .integer(5)],
        reason: "config.json: n_embd 32 is not a multiple of n_head 5"),
      Refusal(
        folder: "tiny-gpt2", changes: ["activation_function": .string("mish")],
        reason:
          "config.json: activation_function 'mish' is not supported; known: gelu, gelu_new, quick_gelu, relu, silu, tanh"
      ),
      Refusal(
        folder: "tiny-gpt2", changes: ["add_cross_attention": .boolean(true)],
        reason: "config.json: add_cross_attention is true; there is no encoder to attend to"),
      Refusal(
        folder: "tiny-llama", changes: ["num_key_value_heads": .integer(3)],
        reason: "config.json: num_attention_heads 4 is not a multiple of num_key_value_heads 3"),
      Refusal(
        folder: "tiny-llama", changes: ["head_dim": .integer(7)],
        reason: "config.json: head_dim 7 is odd; rotary positions turn pairs of columns"),
      Refusal(
        folder: "tiny-llama", changes: ["rope_scaling.type": .string("longrope")],
        reason:
          "config.json: rope_type of the rotary positions is longrope, which is not supported; known: default, "
          + "linear, dynamic, llama3, yarn"),
      Refusal(
        folder: "tiny-llama", changes: ["rope_scaling.rope_type": .string("llama3")],
        reason: "config.json: rope_parameters has no factor, which its rope_type needs"),
      Refusal(
        folder: "tiny-llama", changes: ["partial_rotary_factor": .number(0.5)],
        reason:
          "config.json: partial_rotary_factor of the rotary positions is 0.5, which is not supported; known: 1"
      ),
      Refusal(
        folder: "tiny-qwen2", changes: ["use_sliding_window": .boolean(true)],
        reason:
          "config.json: use_sliding_window is true; layers that attend to a window of the text are not supported"
      ),
    ])
  func refusals(_ refusal: Refusal) throws {
    let checkpoint = try AlteredCheckpoint(refusal.folder, changes: refusal.changes)
    let failure = #expect(throws: EngineFailure.self) { try Self.model(checkpoint) }
    #expect(failure?.reason == refusal.reason)
  }
}
