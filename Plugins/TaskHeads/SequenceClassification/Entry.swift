import CPTune
import PTune
import PTuneClassification

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.sequence-classification", version: Release.version) {
    [
      .taskHead(
        "sequence-classification", summary: "labels of a text: one, or several",
        documentation: """
          Scores each text against the labels: a row of the base model's output is pooled, passes the hidden \
          layers if there are any, and a linear layer gives a score per label. The head's parameters are \
          trained with the adapter.

          `pooling` chooses the row: `mean` over the text's own tokens, `cls` the text's first token wherever \
          it stands, `last` the text's last token, `first` the very first row, a virtual token under an input \
          prompt: that is what PEFT's encoders do. By default it is `mean` on an encoder, and on a causal model `last`: \
          there only the last token has seen the whole text, so that `cls` and `first` are refused.

          `class_weights` makes labels count more or less in the loss: `["rare=4"]` weighs the texts of the label \
          rare four times, and labels that are not named once. The loss is the weighted mean, as \
          torch.nn.CrossEntropyLoss has it. `label_smoothing` takes this share of each target's probability and \
          spreads it over all labels (Szegedy et al. 2016).

          With `multi_label` a text has any number of labels: the row's label is a JSON list, or a text with \
          `label_separator` between labels. Each label's score passes a sigmoid, the loss is the binary \
          cross-entropy over all labels, as with transformers' problem_type multi_label_classification, and labels \
          of `threshold` or more are given.

          A prediction lists the probability of each label, or of the hundred most probable ones where there are more; \
          `ptune predict --scores` gives the raw scores of all.

          Metrics: accuracy, f1_macro, mcc, and majority_class, the accuracy of always answering the most \
          frequent label. With `multi_label`: f1_micro, f1_macro, and subset_accuracy, the share of texts whose \
          labels are all right.
          """,
        .texts(
          "labels", default: [],
          "the labels; by default those of the training data: numbers ascending, names as the base model orders them, else sorted"
        ),
        TextScorer.poolingChoice, TextScorer.basePoolerFlag, TextScorer.hiddenLayersCount,
        TextScorer.hiddenSizeCount, TextScorer.activationChoice, TextScorer.biasFlag, TextScorer.dropoutShare,
        .texts("class_weights", default: [], "how much a label counts in the loss, as label=weight"),
        .number(
          "label_smoothing", default: 0, in: 0...0.99, "share of the target spread over all labels"),
        .flag("multi_label", default: false, "a text may have several labels, or none"),
        .text("label_separator", default: "", "the separator between labels; empty: they are a JSON list"),
        .number("threshold", default: 0.5, in: 0...1, "the probability from which a label is given"),
        make: SequenceClassification.init)
    ]
  }
}
