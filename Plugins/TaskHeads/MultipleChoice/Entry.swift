import CPTune
import PTune

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.multiple-choice", version: Release.version) {
    [
      .taskHead(
        "multiple-choice", summary: "one of the choices that a row has",
        documentation: """
          Scores each choice of a row: the question and the choice together are a sequence, of which a row of the \
          base model's output is pooled, and a linear layer makes one number of it. The loss is the cross-entropy \
          over a row's choices, whose number may differ from row to row. With `pooling: cls` and `base_pooler` this \
          is transformers' BertForMultipleChoice.

          A row has the field `question` (or `text`), and `choices`, a JSON list of texts or an object \
          `{"text": […], "label": […]}`; or columns `choice0`, `choice1`, …, which `fields` may name: \
          `fields: {choice0: ending0, choice1: ending1}`. A field `start` is put before each choice, with a blank \
          between, as SWAG's `sent2` wants it. The label is the name of a choice where they have names, its index \
          from 0, or its text.

          Predictions: `choice` (its index), `text`, `probability` and the `probabilities` of all. Raw scores are \
          one for each choice.

          `pooling` chooses the row, as in sequence-classification.

          Metrics: accuracy.
          """,
        .choice(
          "pooling", of: Pooling.names, default: "automatic",
          "which row represents a choice"),
        .flag("base_pooler", default: false, "pass the row through the base model's own pooling layer first"),
        .number("dropout", default: 0.1, in: 0...0.99, "dropout before the linear layer in training"),
        make: MultipleChoice.init)
    ]
  }
}
