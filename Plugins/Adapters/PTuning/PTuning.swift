import CPTune
import PTune

/// P-tuning (Liu et al. 2021, section 3): a prompt of P rows `[P, H]` among the word embeddings of every input,
/// made by a trained encoder of trained rows; everything else is frozen.
final class PTuning: FoldingAdapter {
  let positions: Int
  let learningRate: Double?
  private let embedding: Parameter
  private let encoder: PromptEncoder
  private let placement: Placement

  init(
    virtualTokens: Int, placement: Placement, encoder kind: PromptEncoder.Kind, encoderSize: Int,
    encoderLayers: Int,
    encoderDropout: Double, deviation: Double
  ) throws {
    embedding = try Parameter(
      kind == .none ? "prompt_embeddings" : "embedding.weight",
      shape: [virtualTokens, Base.facts.hiddenSize], initial: .normal(deviation: Float(deviation)))
    encoder = try PromptEncoder(
      kind, size: encoderSize, layers: encoderLayers, dropout: encoderDropout)
    positions = virtualTokens
    self.placement = placement
    // Without an encoder this is prompt tuning, which takes far larger steps.
    learningRate = kind == .none ? 3e-2 : 1e-3
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    try injections.input(encoder(embedding.value), at: placement)
  }

  /// The adapter file holds the prompt alone, as that of prompt tuning does.
  func save(to export: Export) throws {
    try export.tensor("prompt_embeddings", encoder(embedding.value))
    try export.hyperparameter("encoder", json: "\"none\"")
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.p-tuning", version: Release.version) {
    [
      .adapter(
        "p-tuning", summary: "rows among the word embeddings of the input, made by a trained encoder",
        documentation: """
          P-tuning (Liu et al. 2021, https://arxiv.org/abs/2103.10385) trains P rows of the hidden size and an \
          encoder that makes the prompt of them, so that its rows depend on each other. The prompt stands among \
          the word embeddings of every input.

          `encoder` is `mlp` (three linear layers with relu), `lstm` (a bidirectional LSTM and two linear \
          layers), both as in PEFT, or `none`. It is folded away when the adapter is saved: P·H numbers \
          remain, whatever was trained.

          With `placement: template` the rows stand where the task's template has `{prompt}`, around its text and \
          its mask, as in the paper: `template: "{prompt:3} {text} {prompt:3} It was {mask}."` with the head \
          masked-lm-verbalizer.

          The learning rate is 1e-3 by default, and 3e-2 without an encoder; then set `deviation: 0.02`, as \
          prompt-tuning has it.
          """,
        .integer("virtual_tokens", default: 20, in: 1...4096, "number of trained rows P"),
        .choice(
          "placement", default: Placement.start, "where the prompt is in the input"),
        .choice(
          "encoder", default: PromptEncoder.Kind.mlp,
          "the network that makes the prompt from the trained rows"),
        .integer(
          "encoder_hidden_size", default: 0, in: 0...65536,
          "columns of the MLP's inner rows, or of the LSTM in one direction; 0: the hidden size"),
        .integer("encoder_layers", default: 2, in: 1...16, "with encoder: lstm, its layers"),
        .number(
          "encoder_dropout", default: 0.0, in: 0...0.99,
          "with encoder: lstm, dropout between its layers in training"),
        .number("deviation", default: 1.0, in: 0...100, "standard deviation of the rows' initial values"),
        make: PTuning.init)
    ]
  }
}
