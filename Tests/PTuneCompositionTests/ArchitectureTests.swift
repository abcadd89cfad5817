import PTuneEngine
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneComposition

/// A base model plugin that a run file names computes the checkpoints of its own architecture only.
@Suite("Architectures") struct ArchitectureTests {
  /// A tiny checkpoint whose config.json names no type, with one more weight.
  private final class Nameless: CheckpointSource {
    private let original: ModelCheckpoint
    private let added: String?

    init(_ folder: String, adding weight: String? = nil) throws {
      original = try ModelCheckpoint(folder: "\(Workbench.fixtures)/\(folder)")
      added = weight
    }

    func configuration(_ key: String) -> ConfigurationValue? {
      key == "model_type" ? nil : original.configuration(key)
    }
    var configurationKeys: [String] { [] }
    func hasWeight(_ name: String) -> Bool { name == added || original.hasWeight(name) }
    func weight(_ name: String) throws -> CheckpointWeight? { try original.weight(name) }
  }

  private static let plugins = [
    "bert", "distilbert", "gpt2", "llama", "mistral", "qwen2", "roberta", "xlm-roberta",
  ]

  @Test(
    "every plugin refuses the checkpoints of the other families by their model_type",
    arguments: ["tiny-bert", "tiny-distilbert-mlm", "tiny-gpt2", "tiny-llama", "tiny-qwen2", "tiny-roberta"])
  func otherFamilies(_ folder: String) throws {
    let checkpoint = try ModelCheckpoint(folder: "\(Workbench.fixtures)/\(folder)")
    let type = try #require(checkpoint.config.modelType)
    let factory = Workbench.factory()
    for plugin in Self.plugins where plugin != type && !(type == "roberta" && plugin == "xlm-roberta") {
      let failure = #expect(throws: EngineFailure.self, "\(plugin)") {
        try Workbench.base(plugin, checkpoint, factory)
      }
      #expect(failure?.reason.hasPrefix("config.json: model_type '\(type)' is another architecture") == true)
    }
  }

  @Test("RoBERTa's plugins take each other's checkpoints, and every plugin one that names no type")
  func sameArchitecture() throws {
    let factory = Workbench.factory()
    _ = try Workbench.base(
      "xlm-roberta", ModelCheckpoint(folder: "\(Workbench.fixtures)/tiny-roberta"), factory)
    for plugin in ["bert", "gpt2", "llama", "qwen2", "roberta"] {
      _ = try Workbench.base(plugin, Nameless("tiny-\(plugin)"), factory)
    }
  }

  @Test(
    "weights of a layer that the plugin's architecture does not have are refused by name",
    arguments: [
      ("llama", "tiny-llama", "model.layers.1.self_attn.q_norm.weight"),
      ("llama", "tiny-llama", "model.layers.0.self_attn.k_norm.weight"),
      ("llama", "tiny-llama", "model.layers.0.pre_feedforward_layernorm.weight"),
      ("llama", "tiny-llama", "model.layers.0.mlp.gate_proj.bias"),
      ("llama", "tiny-llama", "model.layers.0.input_layernorm.bias"),
      ("mistral", "tiny-llama", "model.layers.0.self_attn.o_proj.bias"),
      ("llama", "tiny-qwen2", "layers.0.self_attn.q_proj.bias"),
      ("qwen2", "tiny-qwen2", "layers.1.self_attn.o_proj.bias"),
      ("gpt2", "tiny-gpt2", "transformer.h.0.crossattention.c_attn.weight"),
      ("bert", "tiny-bert", "encoder.layer.0.attention.self.distance_embedding.weight"),
      ("roberta", "tiny-roberta", "roberta.encoder.layer.2.crossattention.self.query.weight"),
    ])
  func foreignWeights(_ plugin: String, _ folder: String, _ weight: String) throws {
    let failure = #expect(throws: EngineFailure.self) {
      try Workbench.base(plugin, Nameless(folder, adding: weight), Workbench.factory())
    }
    #expect(
      failure?.reason
        == "the checkpoint has the tensor '\(weight)', which this base model, as config.json describes it, does not use"
    )
  }
}
