import CPTune
import PTune
import PTunePrompts

/// P-tuning v2 (Liu et al. 2022, section 3): deep prompt tuning for understanding tasks. Virtual tokens at all layers, or
/// at the upper `depth` ones, where the paper found them to matter most (section 4.3); no verbaliser, a linear head.
///
///     for each layer j ≥ L - depth:   its attention looks at [P_j; the text]
///
/// P_j is trained as keys and values, or as rows of the layer's input.
final class PTuningV2: FoldingAdapter {
  /// P where the text's positions are counted from behind the virtual tokens, else 0.
  let positions: Int
  /// As for prefix tuning, whose rows these are.
  let learningRate: Double?
  private let prompts: LayerPrompts
  /// `[P, depth·H]`, or `[P, 2·depth·key-value size]`
  private let rows: PromptRows
  private let dropout: Double

  init(
    virtualTokens: Int, form: LayerPrompts.Form, reparameterization: PromptRows.Reparameterization,
    bottleneck: Int, initialization: PromptInitialization, initialText: String, deviation: Double,
    shiftPositions: Bool, dropout: Double, depth: Int
  ) throws {
    let layers = Base.facts.layers
    guard depth <= layers else {
      throw ComponentFailure.badArgument("depth is \(depth), but the base model has \(layers) layers")
    }
    prompts = LayerPrompts(form, layers: (depth == 0 ? 0 : layers - depth)..<layers)
    rows = try PromptRows(
      virtualTokens, of: prompts, reparameterization: reparameterization, bottleneck: bottleneck,
      initialization: initialization, text: initialText, deviation: deviation)
    positions = shiftPositions ? virtualTokens : 0
    learningRate = reparameterization == .mlp ? 1e-3 : 3e-2
    self.dropout = dropout
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    for (layer, part) in prompts.parts(of: rows.value.dropout(dropout)) {
      switch part {
      case .keyValue(let keys, let values):
        try injections.keyValuePrefix(keys: keys, values: values, layer: layer)
      case .hidden(let rows):
        try injections.hiddenPrefix(rows, layer: layer)
      }
    }
    try injections.startPositions(at: positions)
  }

  /// The adapter file holds the rows; the MLP is folded away.
  func save(to export: Export) throws { try rows.save(to: export) }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.p-tuning-v2", version: Release.version) {
    [
      .adapter(
        "p-tuning-v2", summary: "deep prompts at all or the upper layers, for understanding tasks",
        documentation: """
          P-tuning v2 (Liu et al. 2022, https://arxiv.org/abs/2110.07602) trains prompts at every layer, or at \
          the upper `depth` layers, where the paper found them to matter most. Use it with a plain \
          classification head.

          `key-value` trains 2·L·P·H numbers and `hidden` L·P·H, L being the number of layers with prompts.

          The forms, the MLP and what the virtual tokens start as are those of `prefix-tuning`, and so are the \
          learning rates: 3e-2 by default, 1e-3 with an MLP.
          """,
        .integer("virtual_tokens", default: 20, in: 1...4096, "number of virtual tokens P"),
        .choice(
          "form", default: LayerPrompts.Form.keyValue,
          "what is trained: keys and values, or rows of the layers' inputs"),
        .choice(
          "reparameterization", default: PromptRows.Reparameterization.none,
          "where the virtual tokens come from in training: themselves, or an MLP"),
        .integer(
          "bottleneck", default: 0, in: 0...65536,
          "with reparameterization: mlp, the columns between its layers; 0: the hidden size"),
        .choice(
          "initialization", of: PromptInitialization.layered, default: .random,
          "initial values of the virtual tokens: random numbers, or the frozen layers' inputs for tokens"),
        .text(
          "initial_text", default: "",
          "with initialization: text, the text; it is repeated or truncated to P tokens"),
        .number(
          "deviation", default: 1.0, in: 0...100, "with initialization: random, the standard deviation"),
        .flag("shift_positions", default: true, "count the text's positions from P, as PEFT does"),
        .number("dropout", default: 0.1, in: 0...0.99, "dropout on the virtual tokens in training"),
        .integer("depth", default: 0, in: 0...1024, "how many of the upper layers have prompts; 0: all"),
        make: PTuningV2.init)
    ]
  }
}
