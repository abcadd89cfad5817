import CPTune
import PTune

/// P-tuning v2 (Liu et al. 2022, section 3): deep prompts at all layers, or at the upper ones only, trained
/// without a verbaliser, for a plain classification head.
final class PTuningV2: FoldingAdapter {
  let positions: Int
  private let prompts: LayerPrompts
  private let dropout: Double

  init(
    virtualTokens: Int, form: String, reparameterization: String, bottleneck: Int, depth: Int,
    deviation: Double,
    shiftPositions: Bool, dropout: Double
  ) throws {
    let layers = Base.facts.layers
    guard let form = LayerPrompts.Form(rawValue: form) else {
      throw ComponentFailure.badArgument("there is no form '\(form)'")
    }
    guard let reparameterization = LayerPrompts.Reparameterization(rawValue: reparameterization) else {
      throw ComponentFailure.badArgument("there is no reparameterization '\(reparameterization)'")
    }
    guard depth <= layers else {
      throw ComponentFailure.badArgument("depth is \(depth), but the base model has \(layers) layers")
    }
    prompts = try LayerPrompts(
      "prompt_embeddings", virtualTokens: virtualTokens, form: form,
      layers: (depth == 0 ? 0 : layers - depth)..<layers, initial: .normal(deviation: Float(deviation)),
      reparameterization: reparameterization, bottleneck: bottleneck)
    positions = shiftPositions ? virtualTokens : 0
    self.dropout = dropout
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    try prompts.inject(prompts.rows.dropout(dropout), into: injections)
    try injections.startPositions(at: positions)
  }

  func save(to export: Export) throws { try prompts.save(to: export) }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.p-tuning-v2", version: "0.1.0") {
    [
      .adapter(
        "p-tuning-v2", summary: "deep prompts at all or the upper layers, for understanding tasks",
        documentation: """
          P-tuning v2 (Liu et al. 2022, https://arxiv.org/abs/2110.07602) trains prompts at every layer, or at \
          the upper `depth` layers, where the paper found them to matter most. Use it with a plain \
          classification head.

          `key-value` trains 2·L·P·H numbers and `hidden` L·P·H, L being the number of layers with prompts.

          With `reparameterization: mlp` the prompts come from an MLP of P rows as wide as a layer's key or row, which is \
          folded away when the adapter is saved. It wants a learning rate near 1e-3.
          """,
        learningRate: 3e-2,
        .integer("virtual_tokens", default: 20, in: 1...4096, "number of virtual tokens P"),
        .choice(
          "form", of: LayerPrompts.Form.allCases.map(\.rawValue), default: "key-value",
          "what is trained: keys and values, or rows of the layers' inputs"),
        .choice(
          "reparameterization", of: LayerPrompts.Reparameterization.allCases.map(\.rawValue), default: "none",
          "where the virtual tokens come from in training: themselves, or an MLP"),
        .integer(
          "bottleneck", default: 0, in: 0...65536,
          "with reparameterization: mlp, the columns between its layers; 0: the hidden size"),
        .integer("depth", default: 0, in: 0...1024, "how many of the upper layers have prompts; 0: all"),
        .number("deviation", default: 1.0, in: 0...100, "standard deviation of the random start"),
        .flag("shift_positions", default: true, "count the text's positions from P, as PEFT does"),
        .number("dropout", default: 0.1, in: 0...0.99, "dropout on the prompts in training"),
        make: PTuningV2.init)
    ]
  }
}
