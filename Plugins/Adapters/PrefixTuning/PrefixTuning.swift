import CPTune
import PTune

/// Prefix tuning (Li & Liang 2021, section 4): P trained virtual tokens at every layer, which the text attends to.
///
/// *Hidden* form: rows P_i `[P, H]` join the input of layer i and act through its own key and value projections.
/// *Key-value* form: keys and values `[P, H]` of every layer are trained themselves, as PEFT does it.
final class PrefixTuning: FoldingAdapter {
  let positions: Int
  private let prompts: LayerPrompts
  private let dropout: Double

  init(
    virtualTokens: Int, form: String, reparameterization: String, bottleneck: Int, deviation: Double,
    shiftPositions: Bool, dropout: Double
  ) throws {
    guard let form = LayerPrompts.Form(rawValue: form) else {
      throw ComponentFailure.badArgument("there is no form '\(form)'")
    }
    guard let reparameterization = LayerPrompts.Reparameterization(rawValue: reparameterization) else {
      throw ComponentFailure.badArgument("there is no reparameterization '\(reparameterization)'")
    }
    prompts = try LayerPrompts(
      "prompt_embeddings", virtualTokens: virtualTokens, form: form, layers: 0..<Base.facts.layers,
      initial: .normal(deviation: Float(deviation)),
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
  Plugin.register(with: host, id: "ptune.prefix-tuning", version: "0.1.0") {
    [
      .adapter(
        "prefix-tuning", summary: "trained virtual tokens at every layer's attention",
        documentation: """
          Prefix tuning (Li & Liang 2021, https://arxiv.org/abs/2101.00190) gives every layer P virtual tokens \
          that its attention can look at. Their own outputs are never computed.

          In the `key-value` form a layer's virtual tokens are trained keys and values: 2·L·P·H numbers, the \
          form PEFT stores. In the `hidden` form they are rows of the layer's input that pass through its own \
          key and value projections: L·P·H numbers.

          With `reparameterization: mlp` the virtual tokens come from an MLP of P rows as wide as a layer's key or row \
          (section 4.3), which is folded away when the adapter is saved. It wants a learning rate near 1e-3.

          PEFT counts the text's positions from P; `shift_positions: false` leaves the text where the base \
          model learnt it, and its full length free.
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
        .number("deviation", default: 1.0, in: 0...100, "standard deviation of the random start"),
        .flag("shift_positions", default: true, "count the text's positions from P, as PEFT does"),
        .number("dropout", default: 0.0, in: 0...0.99, "dropout on the virtual tokens in training"),
        make: PrefixTuning.init)
    ]
  }
}
