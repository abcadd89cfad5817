import CPTune
import PTune
import PTuneEncoders

/// DistilBERT (Sanh et al. 2019): BERT with half the layers, and neither token types nor a pooling layer.
private func distilBert() throws -> any BaseModel {
  try Encoder(
    EncoderLayout(
      modelTypes: ["distilbert"], prefix: "distilbert.",
      epsilon: 1e-12,  // config.json does not say it
      keys: .init(
        hiddenSize: "dim", layers: "n_layers", heads: "n_heads", innerSize: "hidden_dim",
        activation: "activation"),
      layers: "transformer.layer",
      names: .init(
        query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin",
        output: "attention.out_lin", attentionNorm: "sa_layer_norm", up: "ffn.lin1", down: "ffn.lin2",
        outputNorm: "output_layer_norm"),
      hasTokenTypes: false,
      pooler: nil,
      vocabulary: .init(
        transform: "vocab_transform", norm: "vocab_layer_norm", table: "vocab_projector.weight",
        bias: "vocab_projector.bias", activation: "activation")))
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.distilbert", version: Release.version) {
    [
      .baseModel(
        "distilbert", summary: "DistilBERT encoders",
        documentation: """
          Encoders whose config.json says `model_type: distilbert` (Sanh et al. 2019, \
          https://arxiv.org/abs/1910.01108): BERT with half the layers, and neither token types nor a pooling \
          layer, so that a head's `base_pooler` is refused. Positions are read from the checkpoint, sinusoidal \
          ones too. Checkpoints of the bare encoder and those with a task's head both load; a \
          masked language model's head (`vocab_transform` …) serves cloze heads.
          """,
        make: distilBert)
    ]
  }
}
