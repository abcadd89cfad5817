import CPTune
import PTune

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

          \(LayerPromptAdapter.initializationNotes)

          \(LayerPromptAdapter.trainingNotes)
          """,
        LayerPromptAdapter.virtualTokens, LayerPromptAdapter.form, LayerPromptAdapter.reparameterization,
        LayerPromptAdapter.bottleneck, LayerPromptAdapter.initialization, LayerPromptAdapter.initialText,
        LayerPromptAdapter.deviation, LayerPromptAdapter.shiftPositions,
        LayerPromptAdapter.dropout(default: 0.1),
        .integer("depth", default: 0, in: 0...1024, "how many of the upper layers have prompts; 0: all"),
        make: LayerPromptAdapter.init(
          virtualTokens:form:reparameterization:bottleneck:initialization:initialText:deviation:
          shiftPositions:dropout:depth:))
    ]
  }
}
