import CPTune
import PTune
import PTuneEncoders

/// RoBERTa (Liu et al. 2019): BERT whose positions are counted from behind the padding token's id, because
/// fairseq gives padding that id as its position.
private func roberta() throws -> any BaseModel {
  try Encoder(
    EncoderLayout(
      // CamemBERT is RoBERTa trained on French, under a model type of its own.
      modelTypes: ["roberta", "xlm-roberta", "camembert"], prefix: "roberta.",
      epsilon: try Checkpoint.number("layer_norm_eps", default: 1e-12),
      vocabulary: .init(
        transform: "lm_head.dense", norm: "lm_head.layer_norm", table: "lm_head.decoder.weight",
        bias: "lm_head.bias"),
      paddingToken: try Checkpoint.integer("pad_token_id", default: 1)))
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.roberta", version: Release.version) {
    [
      .baseModel(
        "roberta", summary: "RoBERTa encoders",
        documentation: """
          Encoders whose config.json says `model_type: roberta` (Liu et al. 2019, \
          https://arxiv.org/abs/1907.11692): RoBERTa of any size and its distilled kin. The first \
          `pad_token_id` + 1 rows of the position table are not used, so that a max_position_embeddings of 514 \
          gives 512 positions. Checkpoints of the bare encoder and those with a task's head both load; those \
          with a head mostly have no pooling layer, and a head's `base_pooler` is then refused. A masked language \
          model's head (`lm_head`) serves cloze heads.
          """,
        make: roberta),
      .baseModel(
        "xlm-roberta", summary: "XLM-RoBERTa encoders",
        documentation: """
          Encoders whose config.json says `model_type: xlm-roberta` (Conneau et al. 2020, \
          https://arxiv.org/abs/1911.02116): `roberta` with a vocabulary of a hundred languages.
          """,
        make: roberta),
    ]
  }
}
