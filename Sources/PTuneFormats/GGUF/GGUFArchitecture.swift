/// How llama.cpp stores a kind of model, and what Hugging Face calls the same: keys, tensors, order of rows.
/// Source: llama.cpp's `convert_hf_to_gguf.py` and `gguf-py/gguf/tensor_mapping.py`.
struct GGUFArchitecture: Sendable {
  /// `general.architecture`, which begins the keys, and `model_type` in config.json.
  let name: String
  /// The class that transformers loads it with.
  let modelClass: String
  /// Integers and numbers of config.json that have to be there, by the keys for them.
  let settings: [String: String]
  /// Names of tensors that are there once, without `.weight`.
  let outer: [String: String]
  /// What the names of a layer's tensors begin with, its number left out.
  let layers: String
  /// Names of a layer's tensors, without `.weight` and `.bias`.
  let inner: [String: String]
  /// Whether the model has rotary positions.
  var isRotary = true
  /// Tensors whose rows llama.cpp reorders: neighbours are turned together, not a head's halves.
  var reordered: Set<String> = []
  /// Tensors that Hugging Face stores `[inputs, outputs]`.
  var transposed: Set<String> = []

  static let all: [GGUFArchitecture] = [gpt2, llama, qwen2]

  private static let gpt2 = GGUFArchitecture(
    name: "gpt2", modelClass: "GPT2LMHeadModel",
    settings: [
      "embedding_length": "n_embd", "block_count": "n_layer", "attention.head_count": "n_head",
      "feed_forward_length": "n_inner", "context_length": "n_positions",
      "attention.layer_norm_epsilon": "layer_norm_epsilon",
    ],
    outer: [
      "token_embd": "transformer.wte", "position_embd": "transformer.wpe", "output_norm": "transformer.ln_f",
      "output": "lm_head",
    ], layers: "transformer.h.",
    inner: [
      "attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj", "ffn_norm": "ln_2",
      "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj",
    ], isRotary: false, transposed: ["attn_qkv", "attn_output", "ffn_up", "ffn_down"])

  private static let llama = GGUFArchitecture(
    name: "llama", modelClass: "LlamaForCausalLM", settings: gated, outer: gatedOuter,
    layers: "model.layers.",
    inner: gatedInner, reordered: ["attn_q", "attn_k"])

  private static let qwen2 = GGUFArchitecture(
    name: "qwen2", modelClass: "Qwen2ForCausalLM", settings: gated, outer: gatedOuter,
    layers: "model.layers.",
    inner: gatedInner)

  private static let gated = [
    "embedding_length": "hidden_size", "block_count": "num_hidden_layers",
    "attention.head_count": "num_attention_heads", "feed_forward_length": "intermediate_size",
    "context_length": "max_position_embeddings", "attention.layer_norm_rms_epsilon": "rms_norm_eps",
  ]
  private static let gatedOuter = [
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
  ]
  private static let gatedInner = [
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
  ]

  /// What Hugging Face calls a tensor, and which of the architecture's it is (`attn_q`); nil for one that it does
  /// not have.
  func name(of tensor: String) -> (name: String, part: String)? {
    let parts = tensor.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard let kind = parts.last, kind == "weight" || kind == "bias" else { return nil }
    switch parts.count {
    case 2: return outer[parts[0]].map { ("\($0).\(kind)", parts[0]) }
    case 4 where parts[0] == "blk":
      guard let layer = Int(parts[1]), let name = inner[parts[2]] else { return nil }
      return ("\(layers)\(layer).\(name).\(kind)", parts[2])
    default: return nil
    }
  }
}
