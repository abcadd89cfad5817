import CPTune
import PTune
import PTuneEncoders

/// BERT (Devlin et al. 2019), the pattern of every encoder's layout.
private func bert() throws -> any BaseModel {
  try Encoder(
    EncoderLayout(
      modelTypes: ["bert"], prefix: "bert.", epsilon: try Checkpoint.number("layer_norm_eps", default: 1e-12))
  )
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.bert", version: Release.version) {
    [
      .baseModel(
        "bert", summary: "BERT and MiniLM encoders",
        documentation: """
          Encoders whose config.json says `model_type: bert` (Devlin et al. 2019, \
          https://arxiv.org/abs/1810.04805): BERT of any size, MiniLM and the sentence encoders built on them. \
          Checkpoints of the bare encoder and those with a task's head both load; a masked language model's \
          head (`cls.predictions`) serves cloze heads.
          """,
        make: bert)
    ]
  }
}
