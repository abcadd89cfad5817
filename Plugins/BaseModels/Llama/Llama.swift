import PTune
import PTuneLayers

/// Llama (Touvron et al. 2023): a causal transformer with rotary positions, grouped-query attention, root-mean-square
/// norms in front of each block and a gated feed-forward network; and those that differ by biases only.
final class Llama: BaseModel {
  /// What the families keep to themselves, where config.json does not say it.
  struct Family {
    /// Whether queries, keys and values have biases.
    var queryBias = false
    /// Whether the attention's output has one.
    var outputBias = false
    /// Whether the feed-forward network's layers have.
    var innerBias = false
    /// The longest sequence that attends to all of itself; nil without a window.
    var window: Int?
  }

  let facts: BaseFacts
  let wordTable: Tensor
  private let layers: [Layer]
  private let lastNorm: RootMeanSquareNorm
  private let vocabulary: VocabularyScores

  init(_ family: Family) throws {
    let size = try Configuration.count("hidden_size")
    let heads = try Configuration.count("num_attention_heads")
    let keyValueHeads = try Configuration.count("num_key_value_heads", default: heads)
    guard heads % keyValueHeads == 0 else {
      throw ComponentFailure.badArgument(
        "config.json: num_attention_heads \(heads) is not a multiple of num_key_value_heads \(keyValueHeads)")
    }
    let headSize = try Configuration.count("head_dim", default: max(1, size / heads))
    guard headSize % 2 == 0 else {
      throw ComponentFailure.badArgument(
        "config.json: head_dim \(headSize) is odd; rotary positions turn pairs of columns")
    }
    let positions = try Configuration.count("max_position_embeddings", default: 2048)
    facts = BaseFacts(
      hiddenSize: size, layers: try Configuration.count("num_hidden_layers"),
      keyValueSize: keyValueHeads * headSize, attentionHeads: heads,
      vocabularySize: try Configuration.count("vocab_size"),
      positions: min(positions, family.window ?? .max), causal: true)
    let rotation = try Rotation(headSize: headSize, positions: positions)
    let epsilon = try Checkpoint.number("rms_norm_eps", default: 1e-6)
    // transformers' classes for questions call the model `transformer`, those for everything else `model`.
    let prefix = ["model.", "transformer."].first { Checkpoint.hasWeight($0 + "norm.weight") } ?? ""
    wordTable = try VocabularyScores.wordTable(prefix + "embed_tokens.weight", facts: facts, tied: false)
    let facts = facts
    layers = try Configuration.layers(facts.layers) {
      try Layer(
        "\(prefix)layers.\($0).", index: $0, facts: facts, headSize: headSize, rotation: rotation,
        epsilon: epsilon, family)
    }
    lastNorm = try RootMeanSquareNorm(prefix + "norm", size, epsilon)
    vocabulary = try VocabularyScores(wordTable: wordTable, facts: facts, tied: false)
  }

  func forward(_ forward: Forward) throws -> Tensor {
    var x = forward.inputRows(from: wordTable)
    for layer in layers { x = layer(x, forward) }
    return lastNorm(x)
  }

  func vocabularyScores(_ rows: Tensor) throws -> Tensor { try vocabulary(rows) }

  /// x + attention(norm(x)), then x + down(act(gate(norm(x)))·up(norm(x))).
  private struct Layer {
    let index, heads, keyValueHeads: Int
    let rotation: Rotation
    let query, key, value, output, gate, up, down: FrozenLinear
    let attentionNorm, outputNorm: RootMeanSquareNorm
    let activation: Activation

    /// Additional norms in architectures that name these layers differently: Qwen3 and OLMo 2, Gemma 2 and 3, GLM-4.
    private static let normsOfKin = [
      "self_attn.q_norm", "self_attn.k_norm", "self_attn.q_layernorm", "self_attn.k_layernorm",
      "pre_feedforward_layernorm", "post_feedforward_layernorm", "post_self_attn_layernorm",
      "post_mlp_layernorm",
    ]

    init(
      _ path: String, index: Int, facts: BaseFacts, headSize: Int, rotation: Rotation, epsilon: Double,
      _ family: Family
    ) throws {
      self.index = index
      heads = facts.attentionHeads
      keyValueHeads = facts.keyValueSize / headSize
      self.rotation = rotation
      let (size, wide, narrow) = (facts.hiddenSize, heads * headSize, facts.keyValueSize)
      func linear(
        _ name: String, _ inputs: Int, _ outputs: Int, _ hasBias: Bool, _ role: Site.Roles
      ) throws -> FrozenLinear {
        try FrozenLinear(path + name, inputs, outputs, hasBias: hasBias)
          .site("layers.\(index).\(name)", layer: index, role)
      }
      query = try linear("self_attn.q_proj", size, wide, family.queryBias, .query)
      key = try linear("self_attn.k_proj", size, narrow, family.queryBias, .key)
      value = try linear("self_attn.v_proj", size, narrow, family.queryBias, .value)
      output = try linear("self_attn.o_proj", wide, size, family.outputBias, .attentionOutput)
      let inner = try Configuration.count("intermediate_size")
      gate = try linear("mlp.gate_proj", size, inner, family.innerBias, .feedForwardGate)
      up = try linear("mlp.up_proj", size, inner, family.innerBias, .feedForwardIn)
      down = try linear("mlp.down_proj", inner, size, family.innerBias, .feedForwardOut)
      attentionNorm = try RootMeanSquareNorm(path + "input_layernorm", size, epsilon)
      outputNorm = try RootMeanSquareNorm(path + "post_attention_layernorm", size, epsilon)
      for name in Self.normsOfKin { try Architecture.refuse(weight: "\(path)\(name).weight") }
      activation = try Activation(key: "hidden_act", default: "silu")
    }

    /// `[rows, hidden] -> [rows, hidden]`
    func callAsFunction(_ x: Tensor, _ forward: Forward) -> Tensor {
      let source = attentionNorm(forward.keyRows(layer: index, x))
      let attended = forward.attention(
        layer: index,
        queries: forward.rotate(queries: query(attentionNorm(x), forward), heads: heads, by: rotation),
        keys: forward.rotate(
          keys: key(source, forward), layer: index, keyValueHeads: keyValueHeads, by: rotation),
        values: value(source, forward), heads: heads, keyValueHeads: keyValueHeads)
      let middle = x + output(attended, forward)
      let normed = outputNorm(middle)
      return middle + down(activation(gate(normed, forward)) * up(normed, forward), forward)
    }
  }
}
