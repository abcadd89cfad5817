import CPTune
import PTune
import PTuneLayers

private func llama() throws -> any BaseModel {
  try Architecture.require(["llama"])
  let bias = try Checkpoint.boolean("attention_bias", default: false)
  return try Llama(
    .init(queryBias: bias, outputBias: bias, innerBias: try Checkpoint.boolean("mlp_bias", default: false)))
}

private func qwen2() throws -> any BaseModel {
  try Architecture.require(["qwen2"])
  try Configuration.refuse(
    "use_sliding_window", "layers that attend to a window of the text are not supported")
  return try Llama(.init(queryBias: true))
}

/// A sequence that is no longer than the window attends to all of itself, so the window is a limit of positions.
private func mistral() throws -> any BaseModel {
  try Architecture.require(["mistral"])
  let window = try Checkpoint.integer("sliding_window", default: .max)
  guard window > 0 else {
    throw ComponentFailure.badArgument("config.json: sliding_window \(window) is less than 1")
  }
  return try Llama(.init(window: window))
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.llama", version: Release.version) {
    [
      .baseModel(
        "llama", summary: "Llama and relatives: SmolLM2, TinyLlama",
        documentation: """
          Causal models whose config.json says `model_type: llama` (Touvron et al. 2023, \
          https://arxiv.org/abs/2302.13971): Llama 2 and 3, TinyLlama, SmolLM2. Rotary positions may be scaled as \
          `linear`, `llama3` or `yarn`; `dynamic` scales nothing up to max_position_embeddings, where texts end; \
          other scalings are refused. Checkpoints of the bare model, those with a \
          language model's head and those of a classifier all load.
          """,
        make: llama),
      .baseModel(
        "qwen2", summary: "Qwen2 and Qwen2.5",
        documentation: """
          Causal models whose config.json says `model_type: qwen2` (Yang et al. 2024, \
          https://arxiv.org/abs/2407.10671): `llama` with biases on queries, keys and values. A checkpoint that \
          uses a sliding window is refused.
          """,
        make: qwen2),
      .baseModel(
        "mistral", summary: "Mistral",
        documentation: """
          Causal models whose config.json says `model_type: mistral` (Jiang et al. 2023, \
          https://arxiv.org/abs/2310.06825). A sliding window counts as the limit of positions.
          """,
        make: mistral),
    ]
  }
}
