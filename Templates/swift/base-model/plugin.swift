import CPTune
import PTune

/// __NAME__: an encoder of attention layers with one head and nothing else, for checkpoints whose config.json has the
/// model_type "__NAME__":
///
///     x = E[token];   in each layer  x = x + softmax(q·kᵀ/√d)·v,   q = Wq·x, k = Wk·x, v = Wv·x
///
/// Change the layers in `init` and `forward`, and tests/parity.py and tests/make_model.py with them. `keyRows` and
/// `attention` are what every tuning method attaches to: a model that calls them for each layer works with all.
final class __TYPE__: BaseModel {
  let facts: BaseFacts
  let wordTable: Tensor
  private let layers: [Layer]

  private struct Layer {
    let query, key, value: Tensor
  }

  init() throws {
    func count(_ key: String) throws -> Int {
      let value = try Checkpoint.integer(key, default: 0)
      guard value > 0 else {
        throw ComponentFailure.badArgument("config.json: \(key) is missing or not positive")
      }
      return value
    }
    let size = try count("hidden_size")
    facts = BaseFacts(
      hiddenSize: size, layers: try count("num_hidden_layers"), keyValueSize: size, attentionHeads: 1,
      vocabularySize: try count("vocab_size"), positions: try count("max_position_embeddings"), causal: false)
    wordTable = try Checkpoint.weight("words", rows: facts.vocabularySize, columns: size)
    layers = try (0..<facts.layers).map { index in
      func square(_ name: String) throws -> Tensor {
        try Checkpoint.weight("layers.\(index).\(name)", rows: size, columns: size)
      }
      return Layer(query: try square("query"), key: try square("key"), value: try square("value"))
    }
  }

  /// The last hidden rows, [rows, hidden].
  func forward(_ forward: Forward) throws -> Tensor {
    var x = forward.inputRows(from: wordTable)
    for (index, layer) in layers.enumerated() {
      let rows = forward.keyRows(layer: index, x)
      x =
        x
        + forward.attention(
          layer: index, queries: forward.linear(x, layer.query), keys: forward.linear(rows, layer.key),
          values: forward.linear(rows, layer.value), heads: 1, keyValueHeads: 1)
    }
    return x
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "org.example.__NAME__", version: "1.0.0") {
    [
      .baseModel(
        "__NAME__", summary: "an encoder of attention layers and nothing else",
        documentation: "For checkpoints of the model type __NAME__.", make: __TYPE__.init)
    ]
  }
}
