import CPTune
import PTune
import PTuneLayers

/// GPT-2 (Radford et al. 2019): a causal transformer with learnt positions and norms in front of each block.
final class Gpt2: BaseModel {
  let facts: BaseFacts
  let wordTable: Tensor
  private let positionTable: Tensor
  private let layers: [Layer]
  private let lastNorm: Norm
  private let vocabulary: VocabularyScores

  init() throws {
    try Architecture.require(["gpt2"])
    try Configuration.refuse("add_cross_attention", "there is no encoder to attend to")
    let size = try Configuration.count("n_embd")
    let heads = try Configuration.count("n_head")
    guard size % heads == 0 else {
      throw ComponentFailure.badArgument("config.json: n_embd \(size) is not a multiple of n_head \(heads)")
    }
    facts = BaseFacts(
      hiddenSize: size, layers: try Configuration.count("n_layer"), keyValueSize: size, attentionHeads: heads,
      vocabularySize: try Configuration.count("vocab_size"),
      positions: try Configuration.count("n_positions", default: 1024), causal: true)
    let prefix = Checkpoint.hasWeight("transformer.wpe.weight") ? "transformer." : ""
    wordTable = try VocabularyScores.wordTable(prefix + "wte.weight", facts: facts, tied: true)
    positionTable = try Checkpoint.weight(prefix + "wpe.weight", rows: facts.positions, columns: size)
    let epsilon = try Checkpoint.number("layer_norm_epsilon", default: 1e-5)
    let facts = facts
    layers = try Configuration.layers(facts.layers) {
      try Layer("\(prefix)h.\($0).", index: $0, facts: facts, epsilon: epsilon)
    }
    lastNorm = try Norm(prefix + "ln_f", size, epsilon)
    vocabulary = try VocabularyScores(wordTable: wordTable, facts: facts, tied: true)
  }

  func forward(_ forward: Forward) throws -> Tensor {
    var x = forward.inputRows(from: wordTable) + positionTable.rows(at: forward.positions)
    for layer in layers { x = layer(x, forward) }
    return lastNorm(x)
  }

  func vocabularyScores(_ rows: Tensor) throws -> Tensor { try vocabulary(rows) }

  /// x + attention(norm(x)), then x + feed-forward(norm(x)). Weights are stored `[inputs, outputs]`, those of
  /// queries, keys and values as one.
  private struct Layer {
    let index, heads: Int
    let query, key, value, output, up, down: FrozenLinear
    let attentionNorm, outputNorm: Norm
    let activation: Activation
    /// What queries are multiplied by, beside the 1/√d of every attention.
    let queryScale: Float

    init(_ path: String, index: Int, facts: BaseFacts, epsilon: Double) throws {
      self.index = index
      heads = facts.attentionHeads
      let size = facts.hiddenSize
      func linear(_ name: String, _ inputs: Int, _ outputs: Int, _ roles: Site.Roles) throws -> FrozenLinear {
        try FrozenLinear(path + name, inputs, outputs, transposed: true)
          .site("h.\(index).\(name)", layer: index, roles)
      }
      let joined = try linear("attn.c_attn", size, 3 * size, [.query, .key, .value])
      query = try joined.outputs(0..<size)
      key = try joined.outputs(size..<2 * size)
      value = try joined.outputs(2 * size..<3 * size)
      output = try linear("attn.c_proj", size, size, .attentionOutput)
      let inner = try Configuration.count("n_inner", default: 4 * size)
      up = try linear("mlp.c_fc", size, inner, .feedForwardIn)
      down = try linear("mlp.c_proj", inner, size, .feedForwardOut)
      attentionNorm = try Norm(path + "ln_1", size, epsilon)
      outputNorm = try Norm(path + "ln_2", size, epsilon)
      for name in ["crossattention.c_attn", "ln_cross_attn"] {
        try Architecture.refuse(weight: "\(path)\(name).weight")
      }
      activation = try Activation(key: "activation_function", default: "gelu_new")
      let isScaled = try Checkpoint.boolean("scale_attn_weights", default: true)
      let byLayer = try Checkpoint.boolean("scale_attn_by_inverse_layer_idx", default: false)
      queryScale = (isScaled ? 1 : Float(size / heads).squareRoot()) / (byLayer ? Float(index + 1) : 1)
    }

    /// `[rows, hidden] -> [rows, hidden]`
    func callAsFunction(_ x: Tensor, _ forward: Forward) -> Tensor {
      let source = attentionNorm(forward.keyRows(layer: index, x))
      var queries = query(attentionNorm(x), forward)
      if queryScale != 1 { queries = queries.affine(scale: queryScale, shift: 0) }
      let attended = forward.attention(
        layer: index, queries: queries, keys: key(source, forward), values: value(source, forward),
        heads: heads, keyValueHeads: heads)
      let middle = x + output(attended, forward)
      return middle + down(activation(up(outputNorm(middle), forward)), forward)
    }
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.gpt2", version: Release.version) {
    [
      .baseModel(
        "gpt2", summary: "GPT-2 and relatives",
        documentation: """
          Causal models whose config.json says `model_type: gpt2` (Radford et al. 2019, "Language models are \
          unsupervised multitask learners"): GPT-2 of any size, DistilGPT-2. Checkpoints of the bare model, those \
          with a language model's head and those of a classifier all load.
          """,
        make: Gpt2.init)
    ]
  }
}
