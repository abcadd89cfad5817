import PTuneEngine
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneComposition

/// The encoders' plugins over checkpoints that hold sizes but no numbers.
@Suite("Encoders") struct EncoderTests {
  struct Method: Sendable, CustomTestStringConvertible {
    let adapter: String
    let hyperparameters: [String: HyperparameterValue]
    let count: Int

    var testDescription: String { "\(adapter) with \(count) numbers" }
  }

  @Test(
    "DistilBERT counts 66,362,880 numbers, 66,955,010 with its classifier, and each method its own beside them",
    arguments: [
      Method(
        adapter: "prefix-tuning", hyperparameters: ["virtual_tokens": .int(10), "form": .string("hidden")],
        count: 46_080),
      Method(
        adapter: "prefix-tuning", hyperparameters: ["virtual_tokens": .int(5), "form": .string("hidden")],
        count: 23_040),
      Method(
        adapter: "prompt-tuning",
        hyperparameters: ["virtual_tokens": .int(5), "initialization": .string("random")], count: 3_840),
    ])
  func distilBertCounts(_ method: Method) throws {
    let factory = Workbench.factory()
    let model = try Workbench.base("distilbert", HollowCheckpoint.distilBert(), factory)
    #expect(model.baseCount == 66_362_880)

    let head = ComponentChoice(
      plugin: "sequence-classification",
      hyperparameters: ["labels": .strings(["negative", "positive"]), "hidden_layers": .int(1)])
    let headComponent = try factory.load(.taskHead, head)
    try model.addHead(factory.identity(headComponent, owner: "head.task")) {
      try factory.head(headComponent, $0)
    }
    let headCount = model.trainableCount
    #expect(model.baseCount + headCount == 66_955_010)

    let adapter = ComponentChoice(plugin: method.adapter, hyperparameters: method.hyperparameters)
    let component = try factory.load(.adapter, adapter)
    try model.setAdapter(factory.identity(component, owner: "adapter")) {
      try factory.adapter(component, $0)
    }
    #expect(model.trainableCount - headCount == method.count)
  }

  @Test("a model of one token type takes the tokens of a second text for the same")
  func oneType() throws {
    let model = try Workbench.base(checkpoint: "\(Workbench.fixtures)/tiny-roberta")
    let rows = try [[0, 0, 0], [0, 1, 1] as [Int32]].map {
      let sequence = PackedBatch.Sequence(tokens: [5, 6, 7], tokenTypes: $0)
      return try model.hiddenRows(PackedBatch([sequence], training: false)).values
    }
    #expect(rows[0] == rows[1])
  }

  @Test("RoBERTa's sequences have the positions behind the padding's", arguments: ["roberta", "xlm-roberta"])
  func positions(_ plugin: String) throws {
    let model = try Workbench.base(plugin, HollowCheckpoint.roberta(), Workbench.factory())
    #expect(model.facts?.positions == 512)
    let tokens = Array(repeating: Int32(7), count: 513)
    let failure = #expect(throws: EngineFailure.self) {
      try model.hiddenRows(PackedBatch([PackedBatch.Sequence(tokens: tokens)], training: false))
    }
    #expect(
      failure?.reason.contains("513 positions, including virtual tokens; the base model has 512") == true)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let plugin: String
    let key: String
    let value: ConfigurationValue?
    let reason: String

    var testDescription: String { "\(plugin): \(reason)" }
  }

  @Test(
    "a config.json that does not fit is refused by the name of its key",
    arguments: [
      Refusal(
        plugin: "distilbert", key: "activation", value: .string("mish"),
        reason:
          "config.json: activation 'mish' is not supported; known: gelu, gelu_new, quick_gelu, relu, silu, tanh"
      ),
      Refusal(
        plugin: "distilbert", key: "n_heads", value: .integer(7),
        reason: "config.json: dim 768 is not a multiple of n_heads 7"),
      Refusal(
        plugin: "distilbert", key: "n_layers", value: .integer(-1),
        reason: "config.json: n_layers -1 is less than 1"),
      Refusal(
        plugin: "distilbert", key: "hidden_dim", value: nil,
        reason: "config.json has no key 'hidden_dim', which this base model needs"),
      Refusal(
        plugin: "roberta", key: "position_embedding_type", value: .string("relative_key"),
        reason: "config.json: position_embedding_type 'relative_key' is not supported, only 'absolute'"),
      Refusal(
        plugin: "roberta", key: "is_decoder", value: .boolean(true),
        reason: "config.json: is_decoder is true; this plugin is for encoders"),
      Refusal(
        plugin: "roberta", key: "hidden_act", value: .string("mish"),
        reason:
          "config.json: hidden_act 'mish' is not supported; known: gelu, gelu_new, quick_gelu, relu, silu, tanh"
      ),
      Refusal(
        plugin: "xlm-roberta", key: "pad_token_id", value: .integer(513),
        reason: "config.json: pad_token_id 513 leaves none of max_position_embeddings 514 for tokens"),
      Refusal(
        plugin: "roberta", key: "pad_token_id", value: .integer(-1),
        reason: "config.json: pad_token_id -1 leaves none of max_position_embeddings 514 for tokens"),
    ])
  func refusals(_ refusal: Refusal) throws {
    let checkpoint =
      refusal.plugin == "distilbert" ? HollowCheckpoint.distilBert() : HollowCheckpoint.roberta()
    checkpoint.config[refusal.key] = refusal.value
    let failure = #expect(throws: EngineFailure.self) {
      try Workbench.base(refusal.plugin, checkpoint, Workbench.factory())
    }
    #expect(failure?.reason == refusal.reason)
  }

  @Test(
    "the base's pooling layer is refused where there is none",
    arguments: [
      ("tiny-distilbert", "this base model has no pooling layer of its own"),
      ("tiny-roberta", "the checkpoint has no pooling layer (pooler.dense)"),
    ])
  func noPooler(_ checkpoint: String, _ reason: String) throws {
    let composition = try Workbench.compose(
      checkpoint: checkpoint, adapter: ComponentChoice(plugin: "prefix-tuning"),
      head: ComponentChoice(
        plugin: "sequence-classification",
        hyperparameters: ["labels": .strings(["a", "b"]), "base_pooler": .bool(true)]))
    let batch = PackedBatch([PackedBatch.Sequence(tokens: [2, 7, 3], integers: [0])], training: true)
    let failure = #expect(throws: EngineFailure.self) { try composition.model.differentiate(batch) }
    #expect(failure?.reason == reason)
  }

  @Test("the head that scores the vocabulary is loaded, and counted, when it is first asked for")
  func vocabularyHead() throws {
    let model = try Workbench.base(checkpoint: "\(Workbench.fixtures)/tiny-bert-mlm")
    let encoder = model.baseCount
    let batch = PackedBatch([PackedBatch.Sequence(tokens: [2, 7, 3])], training: false)
    for _ in 0..<2 {
      _ = try model.vocabularyScores(batch)
      #expect(model.baseCount - encoder == 32 * 32 + 3 * 32 + 200)
    }
  }
}
