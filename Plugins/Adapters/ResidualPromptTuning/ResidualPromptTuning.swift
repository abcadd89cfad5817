import CPTune
import PTune
import PTunePrompts

/// Residual prompt tuning (Razdaibiedina et al. 2023, section 3): prompt tuning whose rows are P + Φ(P), with Φ a
/// small network that all rows share; it is folded away when the adapter is saved.
final class ResidualPromptTuning: FoldingAdapter {
  let positions: Int
  let learningRate: Double?
  private let prompt: Parameter
  private let network: Bottleneck?
  private let placement: Placement

  init(
    virtualTokens: Int, placement: Placement, encoder: Encoder, bottleneck: Int, normalizes: Bool,
    dropout: Double, initialization: PromptInitialization, initialText: String, deviation: Double
  ) throws {
    prompt = try Parameter(
      "prompt_embeddings", shape: [virtualTokens, Base.facts.hiddenSize],
      initial: try .inputRows(
        initialization, count: virtualTokens, text: initialText, deviation: deviation))
    network =
      encoder == .none ? nil : try Bottleneck(columns: bottleneck, normalizes: normalizes, dropout: dropout)
    positions = virtualTokens
    self.placement = placement
    learningRate = encoder == .none ? 3e-2 : 3e-3
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    try injections.input(rows, at: placement)
  }

  /// The adapter file holds the prompt alone, as that of prompt tuning does.
  func save(to export: Export) throws {
    try export.tensor("prompt_embeddings", rows)
    try export.hyperparameter("encoder", json: "\"none\"")
  }

  /// `[P, H]`
  private var rows: Tensor { network.map { prompt.value + $0(prompt.value) } ?? prompt.value }

  enum Encoder: String, HyperparameterChoice {
    /// The rows are the prompt.
    case none
    /// P + Φ(P)
    case residual
  }
}

/// Φ: down to a few columns, relu, up again, and a layer norm.
private struct Bottleneck {
  private let down, up: Linear
  private let gain, bias: Parameter?
  private let dropout: Double

  init(columns: Int, normalizes: Bool, dropout: Double) throws {
    let hidden = Base.facts.hiddenSize
    down = try Linear("mlp.down", inputs: hidden, outputs: columns)
    up = try Linear("mlp.up", inputs: columns, outputs: hidden)
    gain = normalizes ? try Parameter("mlp.norm.weight", shape: [hidden], initial: .constant(1)) : nil
    bias = normalizes ? try Parameter("mlp.norm.bias", shape: [hidden], initial: .zeros) : nil
    self.dropout = dropout
  }

  /// `[P, H] -> [P, H]`
  func callAsFunction(_ rows: Tensor) -> Tensor {
    let made = up(down(rows).relu()).dropout(dropout)
    guard let gain, let bias else { return made }
    return made.layerNorm(gain: gain.value, bias: bias.value, epsilon: 1e-5)
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.residual-prompt-tuning", version: Release.version) {
    [
      .adapter(
        "residual-prompt-tuning",
        summary: "rows at the input that pass through a small network with a residual connection",
        documentation: """
          Residual prompt tuning (Razdaibiedina et al. 2023, https://arxiv.org/abs/2305.03937) is prompt tuning \
          whose rows P pass a network Φ on their way to the input, as P + Φ(P): down to `bottleneck` columns, \
          relu, up again, layer norm. It learns faster than the rows alone, and depends less on the learning \
          rate and on how they start. Φ is folded away when the adapter is saved: P·H numbers remain.

          Placement and initialisation are those of `prompt-tuning`.
          """,
        .integer("virtual_tokens", default: 20, in: 1...4096, "number of trained rows P"),
        .choice("placement", default: Placement.start, "where the rows are in the input"),
        .choice(
          "encoder", default: ResidualPromptTuning.Encoder.residual,
          "the network that makes the prompt from the trained rows"),
        .integer("bottleneck", default: 128, in: 1...65536, "columns between the network's layers"),
        .flag("layer_norm", default: true, "whether the network ends with a layer norm"),
        .number("dropout", default: 0.0, in: 0...0.99, "dropout before the network's norm, in training"),
        .choice(
          "initialization", default: PromptInitialization.sampledVocabulary, "initial values of the rows"),
        .text(
          "initial_text", default: "",
          "with initialization: text, the text whose embeddings are the initial values"),
        .number(
          "deviation", default: 0.02, in: 0...100, "with initialization: random, the standard deviation"),
        make: ResidualPromptTuning.init)
    ]
  }
}
