import CPTune
import PTune

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.prefix-tuning", version: Release.version) {
    [
      .adapter(
        "prefix-tuning", summary: "trained virtual tokens at every layer's attention",
        documentation: """
          Prefix tuning (Li & Liang 2021, https://arxiv.org/abs/2101.00190) gives every layer P virtual tokens \
          that its attention can look at. Their own outputs are never computed.

          In the `key-value` form a layer's virtual tokens are trained keys and values: 2·L·P·H numbers, the \
          form PEFT stores. In the `hidden` form they are rows of the layer's input that pass through its own \
          key and value projections: L·P·H numbers.

          \(LayerPromptAdapter.initializationNotes)

          \(LayerPromptAdapter.trainingNotes)

          PEFT counts the text's positions from P; `shift_positions: false` leaves the text where the base \
          model learnt it, and its full length free.
          """,
        LayerPromptAdapter.virtualTokens, LayerPromptAdapter.form, LayerPromptAdapter.reparameterization,
        LayerPromptAdapter.bottleneck, LayerPromptAdapter.initialization, LayerPromptAdapter.initialText,
        LayerPromptAdapter.deviation, LayerPromptAdapter.shiftPositions,
        LayerPromptAdapter.dropout(default: 0),
        make: LayerPromptAdapter.init(
          virtualTokens:form:reparameterization:bottleneck:initialization:initialText:deviation:
          shiftPositions:dropout:))
    ]
  }
}
