import CPTune
import PTune

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.sequence-classification", version: "0.1.0") {
    [
      .taskHead(
        "sequence-classification", summary: "one label per text",
        documentation: """
          Scores each text against the labels: a row of the base model's output is pooled, passes the hidden \
          layers (tanh) if there are any, and a linear layer gives a score per label. The head's parameters are \
          trained with the adapter.

          `pooling` chooses the row: `mean` over the text's own tokens, `cls` the text's first token wherever \
          it stands, `last` the text's last token, `first` the very first row, a virtual token under an input \
          prompt: that is what PEFT's encoders do.

          Metrics: accuracy, f1_macro, mcc, and majority_class, the accuracy of always answering the most \
          frequent label.
          """,
        .texts(
          "labels", default: [], "the labels; by default those of the training data, sorted"),
        .choice(
          "pooling", of: SequenceClassification.Pooling.allCases.map(\.rawValue), default: "mean",
          "which row stands for the text"),
        .flag("base_pooler", default: false, "pass the row through the base model's own pooling layer first"),
        .integer("hidden_layers", default: 0, in: 0...8, "layers between the pooled row and the scores"),
        .integer("hidden_size", default: 0, in: 0...65536, "their width; 0: the base model's"),
        .number("dropout", default: 0.1, in: 0...0.99, "dropout before each layer in training"),
        make: SequenceClassification.init)
    ]
  }
}
