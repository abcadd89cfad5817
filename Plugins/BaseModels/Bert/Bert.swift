import CPTune
import PTune

/// BERT (Devlin et al. 2019): a bidirectional encoder with learnt positions and norms after each residual.
final class Bert: BaseModel {
  let facts: BaseFacts
  let wordTable: Tensor
  private let positionTable: Tensor
  private let typeTable: Tensor
  private let inputNorm: Norm
  private let layers: [Layer]
  private let poolerLayer: Linear?

  init() throws {
    let size = try Checkpoint.integer("hidden_size")
    let heads = try Checkpoint.integer("num_attention_heads")
    let layerCount = try Checkpoint.integer("num_hidden_layers")
    let positions = try Checkpoint.integer("max_position_embeddings")
    facts = BaseFacts(
      hiddenSize: size, layers: layerCount, keyValueSize: size, attentionHeads: heads,
      vocabularySize: try Checkpoint.integer("vocab_size"), positions: positions, causal: false)
    try Self.refuseVariants(size: size, heads: heads)

    // Checkpoints of the bare encoder have no prefix, those with a task's head do.
    let prefix = Checkpoint.hasWeight("bert.embeddings.word_embeddings.weight") ? "bert." : ""
    let embeddings = prefix + "embeddings."
    let epsilon = try Checkpoint.number("layer_norm_eps", default: 1e-12)
    wordTable = try Checkpoint.weight(
      embeddings + "word_embeddings.weight", rows: facts.vocabularySize, columns: size)
    positionTable = try Checkpoint.weight(
      embeddings + "position_embeddings.weight", rows: positions, columns: size)
    typeTable = try Checkpoint.weight(
      embeddings + "token_type_embeddings.weight", rows: try Checkpoint.integer("type_vocab_size", default: 2),
      columns: size)
    inputNorm = try Norm(embeddings + "LayerNorm", size, epsilon)
    let inner = try Checkpoint.integer("intermediate_size")
    let activation = try Activation(Checkpoint.string("hidden_act", default: "gelu"))
    layers = try (0..<layerCount).map {
      try Layer(
        "\(prefix)encoder.layer.\($0).", index: $0, size: size, inner: inner, heads: heads,
        activation: activation, epsilon: epsilon)
    }
    let pooler = prefix + "pooler.dense"
    poolerLayer = Checkpoint.hasWeight(pooler + ".weight") ? try Linear(pooler, size, size) : nil
  }

  private static func refuseVariants(size: Int, heads: Int) throws {
    guard heads > 0, size % heads == 0 else {
      throw ComponentFailure.badArgument(
        "config.json: hidden_size \(size) is not a multiple of num_attention_heads \(heads)")
    }
    let positions = try Checkpoint.string("position_embedding_type", default: "absolute")
    guard positions == "absolute" else {
      throw ComponentFailure.unsupported(
        "config.json: position_embedding_type '\(positions)' is not supported, only 'absolute'")
    }
    guard try !Checkpoint.boolean("is_decoder", default: false) else {
      throw ComponentFailure.unsupported("config.json: is_decoder is true; this plugin is for encoders")
    }
  }

  func forward(_ forward: Forward) throws -> Tensor {
    var x = inputNorm(
      forward.inputRows(from: wordTable) + positionTable.rows(at: forward.positions)
        + typeTable.rows(at: forward.tokenTypes))
    for layer in layers { x = layer(x, forward) }
    return x
  }

  func pooler(_ rows: Tensor) throws -> Tensor {
    guard let poolerLayer else {
      throw ComponentFailure.unsupported("the checkpoint has no pooling layer (pooler.dense)")
    }
    return rows.linear(poolerLayer.weight, bias: poolerLayer.bias).tanh()
  }
}

/// One encoder layer: x + attention, norm; + feed-forward, norm.
private struct Layer {
  let index, heads: Int
  let query, key, value, output, up, down: Linear
  let attentionNorm, outputNorm: Norm
  let activation: Activation

  init(
    _ name: String, index: Int, size: Int, inner: Int, heads: Int, activation: Activation, epsilon: Double
  ) throws {
    self.index = index
    self.heads = heads
    self.activation = activation
    query = try Linear(name + "attention.self.query", size, size)
    key = try Linear(name + "attention.self.key", size, size)
    value = try Linear(name + "attention.self.value", size, size)
    output = try Linear(name + "attention.output.dense", size, size)
    attentionNorm = try Norm(name + "attention.output.LayerNorm", size, epsilon)
    up = try Linear(name + "intermediate.dense", size, inner)
    down = try Linear(name + "output.dense", inner, size)
    outputNorm = try Norm(name + "output.LayerNorm", size, epsilon)
  }

  func callAsFunction(_ x: Tensor, _ forward: Forward) -> Tensor {
    let source = forward.keyRows(layer: index, x)
    let attended = forward.attention(
      layer: index, queries: query(x, forward), keys: key(source, forward), values: value(source, forward),
      heads: heads, keyValueHeads: heads)
    let middle = attentionNorm(x + output(attended, forward))
    return outputNorm(middle + down(activation(up(middle, forward)), forward))
  }
}

private struct Linear {
  let weight, bias: Tensor

  init(_ name: String, _ inputs: Int, _ outputs: Int) throws {
    weight = try Checkpoint.weight(name + ".weight", rows: outputs, columns: inputs)
    bias = try Checkpoint.weight(name + ".bias", columns: outputs)
  }

  func callAsFunction(_ x: Tensor, _ forward: Forward) -> Tensor { forward.linear(x, weight, bias: bias) }
}

private struct Norm {
  let gain, bias: Tensor
  let epsilon: Double

  init(_ name: String, _ size: Int, _ epsilon: Double) throws {
    // Checkpoints converted from TensorFlow call them gamma and beta.
    let old = Checkpoint.hasWeight(name + ".gamma")
    gain = try Checkpoint.weight(name + (old ? ".gamma" : ".weight"), columns: size)
    bias = try Checkpoint.weight(name + (old ? ".beta" : ".bias"), columns: size)
    self.epsilon = epsilon
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x.layerNorm(gain: gain, bias: bias, epsilon: epsilon) }
}

private struct Activation {
  let function: (Tensor) -> Tensor

  init(_ name: String) throws {
    function =
      switch name {
      case "gelu": { $0.gelu() }
      case "gelu_new", "gelu_pytorch_tanh": { $0.geluTanh() }
      case "relu": { $0.relu() }
      case "silu", "swish": { $0.silu() }
      case "tanh": { $0.tanh() }
      default:
        throw ComponentFailure.unsupported(
          "config.json: hidden_act '\(name)' is not supported; known: gelu, gelu_new, relu, silu, tanh")
      }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { function(x) }
}

@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.bert", version: "0.1.0") {
    [
      .baseModel(
        "bert", summary: "BERT and MiniLM encoders",
        documentation: """
          Encoders whose config.json says `model_type: bert` (Devlin et al. 2019, \
          https://arxiv.org/abs/1810.04805): BERT of any size, MiniLM and the sentence encoders built on them. \
          Checkpoints of the bare encoder and those with a task's head both load.
          """,
        make: Bert.init)
    ]
  }
}
