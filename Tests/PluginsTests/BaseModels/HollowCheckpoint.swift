import Foundation
import PTuneEngine

/// A checkpoint of a real model's sizes without its numbers: every tensor is a view of one buffer of zeros.
final class HollowCheckpoint: CheckpointSource {
  var config: [String: ConfigurationValue]
  private let shapes: [String: [Int]]
  private let zeros: Zeros

  /// Zeros that take no memory until they are read, which these tests never do.
  private final class Zeros {
    let memory: UnsafeMutableBufferPointer<Float>

    init(count: Int) {
      memory = UnsafeMutableBufferPointer(
        start: calloc(count, MemoryLayout<Float>.stride)?.assumingMemoryBound(to: Float.self), count: count)
    }

    deinit { free(memory.baseAddress) }
  }

  init(config: [String: ConfigurationValue], shapes: [String: [Int]]) {
    self.config = config
    self.shapes = shapes
    zeros = Zeros(count: shapes.values.map { $0.reduce(1, *) }.max() ?? 0)
  }

  func configuration(_ key: String) -> ConfigurationValue? { config[key] }
  var configurationKeys: [String] { [] }
  func hasWeight(_ name: String) -> Bool { shapes[name] != nil }
  func weight(_ name: String) -> CheckpointWeight? {
    shapes[name].map {
      let values = UnsafeBufferPointer(rebasing: zeros.memory[..<$0.reduce(1, *)])
      return CheckpointWeight(shape: $0, values: values, owner: zeros)
    }
  }
}

extension HollowCheckpoint {
  /// distilbert-base-uncased.
  static func distilBert() -> HollowCheckpoint {
    var shapes = embeddings("distilbert.", vocabulary: 30_522, positions: 512)
    for layer in 0..<6 {
      let name = "distilbert.transformer.layer.\(layer)."
      for part in ["attention.q_lin", "attention.k_lin", "attention.v_lin", "attention.out_lin"] {
        add(part: name + part, [768, 768], to: &shapes)
      }
      add(part: name + "sa_layer_norm", [768], to: &shapes)
      add(part: name + "ffn.lin1", [3072, 768], to: &shapes)
      add(part: name + "ffn.lin2", [768, 3072], to: &shapes)
      add(part: name + "output_layer_norm", [768], to: &shapes)
    }
    return HollowCheckpoint(
      config: [
        "dim": .integer(768), "n_layers": .integer(6), "n_heads": .integer(12), "hidden_dim": .integer(3072),
        "max_position_embeddings": .integer(512), "vocab_size": .integer(30_522),
        "activation": .string("gelu"),
      ], shapes: shapes)
  }

  /// roberta-base, cut to one layer.
  static func roberta() -> HollowCheckpoint {
    var shapes = embeddings("roberta.", vocabulary: 50_265, positions: 514)
    shapes["roberta.embeddings.token_type_embeddings.weight"] = [1, 768]
    let name = "roberta.encoder.layer.0."
    for part in ["self.query", "self.key", "self.value", "output.dense"] {
      add(part: name + "attention." + part, [768, 768], to: &shapes)
    }
    add(part: name + "attention.output.LayerNorm", [768], to: &shapes)
    add(part: name + "intermediate.dense", [3072, 768], to: &shapes)
    add(part: name + "output.dense", [768, 3072], to: &shapes)
    add(part: name + "output.LayerNorm", [768], to: &shapes)
    return HollowCheckpoint(
      config: [
        "hidden_size": .integer(768), "num_hidden_layers": .integer(1), "num_attention_heads": .integer(12),
        "intermediate_size": .integer(3072), "max_position_embeddings": .integer(514),
        "vocab_size": .integer(50_265), "hidden_act": .string("gelu"), "type_vocab_size": .integer(1),
        "layer_norm_eps": .number(1e-5), "pad_token_id": .integer(1),
      ], shapes: shapes)
  }

  private static func embeddings(_ prefix: String, vocabulary: Int, positions: Int) -> [String: [Int]] {
    var shapes = [
      prefix + "embeddings.word_embeddings.weight": [vocabulary, 768],
      prefix + "embeddings.position_embeddings.weight": [positions, 768],
    ]
    add(part: prefix + "embeddings.LayerNorm", [768], to: &shapes)
    return shapes
  }

  /// A weight of this shape and its bias, which has as many elements as the weight has rows.
  private static func add(part: String, _ weight: [Int], to shapes: inout [String: [Int]]) {
    shapes[part + ".weight"] = weight
    shapes[part + ".bias"] = [weight[0]]
  }
}
