import CPTune
import PTune
import PTuneClassification

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.regression", version: Release.version) {
    [
      .taskHead(
        "regression", summary: "one number per text",
        documentation: """
          Gives each text, or pair of texts, a number: a row of the base model's output is pooled, passes the \
          hidden layers if there are any, and a linear layer makes a number of it. The loss is the mean squared \
          error to the row's `label`, a number in the data: scale large ones to about 1 beforehand.

          `pooling` chooses the row, and the layers are made, as in sequence-classification.

          Metrics: pearson, spearman (ranks, ties shared), and mse. A correlation with what does not vary counts 0.
          """,
        TextScorer.poolingChoice, TextScorer.basePoolerFlag, TextScorer.hiddenLayersCount,
        TextScorer.hiddenSizeCount, TextScorer.activationChoice, TextScorer.biasFlag, TextScorer.dropoutShare,
        make: Regression.init)
    ]
  }
}
