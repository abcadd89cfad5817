import CPTune
import PTune
import PTunePrompts

/// Prefix tuning (Li & Liang 2021, section 4): P virtual tokens at every layer j that its attention can look at,
///
///     attention_j(x) = softmax(Q·[P_K,j; K]ᵀ/√d)·[P_V,j; V]
///
/// with trained keys P_K,j and values P_V,j: the *key-value* form. In the *hidden* form they are the layer's own
/// projections of trained rows P_j of its input: P_K,j = P_j·W_K, P_V,j = P_j·W_V. In training an MLP may make them of
/// smaller rows P' (section 4.3).
final class PrefixTuning: FoldingAdapter {
  /// P where the text's positions are counted from behind the virtual tokens, else 0.
  let positions: Int
  /// On the demo's data 3e-2 was better than 1e-2 and 1e-1; with an MLP 1e-3 and 3e-3 were alike, and 1e-2 learnt nothing.
  let learningRate: Double?
  private let prompts: LayerPrompts
  /// `[P, L·H]`, or `[P, 2·L·key-value size]`
  private let rows: PromptRows
  private let dropout: Double

  init(
    virtualTokens: Int, form: LayerPrompts.Form, reparameterization: PromptRows.Reparameterization,
    bottleneck: Int, initialization: PromptInitialization, initialText: String, deviation: Double,
    shiftPositions: Bool, dropout: Double
  ) throws {
    prompts = LayerPrompts(form, layers: 0..<Base.facts.layers)
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
  Plugin.register(with: host, id: "ptune.prefix-tuning", version: Release.version) {
    [
      .adapter(
        "prefix-tuning", summary: "trained virtual tokens in every layer's attention",
        documentation: """
          Prefix tuning (Li & Liang 2021, https://arxiv.org/abs/2101.00190) gives every layer P virtual tokens \
          to which its attention can attend. Their own outputs are never computed.

          In the `key-value` form a layer's virtual tokens are trained keys and values: 2·L·P·H numbers, the \
          form PEFT stores. In the `hidden` form they are rows of the layer's input that pass through its own \
          key and value projections: L·P·H numbers.

          `initialization: text` starts from a hard prompt, `sampled-vocabulary` from one of frequent words of the \
          training data: the base model reads its tokens once, and each layer's virtual tokens start as the keys and \
          values, or the rows of its input, that the layer was given.

          With `reparameterization: mlp` the virtual tokens come from an MLP of P rows of the hidden size (Li & \
          Liang 2021, section 4.3), which is folded away when the adapter is saved. It starts at random.

          The learning rate is 3e-2 by default, with an MLP 1e-3: there 1e-2 learns nothing. After 100 steps on the \
          demo's data at 3e-2 the accuracy was 0.801 from random rows and 0.813 from `sampled-vocabulary`, after 233 \
          steps 0.816 from both, the means of three seeds.

          PEFT counts the text's positions from P; `shift_positions: false` leaves the text where the base \
          model learnt it, and its full length free.
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
        .number("dropout", default: 0, in: 0...0.99, "dropout on the virtual tokens in training"),
        make: PrefixTuning.init)
    ]
  }
}
