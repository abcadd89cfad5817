import PTuneFormats

/// Which keys of a PEFT config change what is computed in a way that ptune does not redo.
///
/// Taken from the config classes of PEFT 0.21. What is not listed here or read elsewhere decides how an adapter begins or
/// is trained, and the saved values know that already.
extension PEFTConfig {
  /// Keys that change what is computed unless they have PEFT's default.
  private static let decisive: Set<String> = [
    "alora_invocation_tokens", "alpha_pattern", "arrow_config", "bias", "ensure_weight_tying", "kasa_config",
    "layer_replication", "lora_bias", "megatron_config", "monteclora_config", "rank_pattern",
    "target_parameters", "trainable_token_indices", "use_bdlora", "use_dora", "use_qalora", "velora_config",
  ]

  /// The ways to begin a LoRA that leave the base model's weights as they are: A and B are as they were saved then. With
  /// the others PEFT takes what A and B begin with out of the base model, again whenever it loads the adapter.
  private static let plainStarts: Set<String> = ["gaussian", "eva", "orthogonal", "mica"]

  /// Keys of other versions and of other tools that change nothing that is computed.
  private static let ineffective: Set<String> = ["runtime_config", "unsloth_fixed", "merge_weights"]

  /// Refuses what changes the result otherwise than ptune can.
  ///
  /// - Returns: keys that are not known, without a value that could mean something.
  /// - Throws: ``PEFTError/unsupported(folder:reason:help:)`` naming the key.
  func checkKeys(_ method: PEFTMethod) throws(PEFTError) -> [String] {
    for (key, standard) in method.members where Self.decisive.contains(key) {
      guard let given = value(key), given != standard, !given.isNothing else { continue }
      throw unsupported(key, given)
    }
    if let start = value("init_lora_weights"), method.members["init_lora_weights"] != nil {
      try checkStart(start)
    }
    // 2 is for models with an encoder and a decoder, each of which has a prompt then.
    if let parts = value("num_transformer_submodules"), parts != 1 {
      throw unsupported("num_transformer_submodules", parts)
    }
    var passedOver: [String] = []
    for key in unknownKeys(method) where !Self.ineffective.contains(key) {
      guard let given = value(key), !given.isNothing else {
        passedOver.append(key)
        continue
      }
      throw .unsupported(
        folder: folder,
        reason: "'\(key)' is \(given.short), and ptune does not know what this key of \(method.type) does",
        help: "if it changes nothing that the adapter computes, remove it from \(AdapterFolder.configName)")
    }
    return passedOver
  }

  private func checkStart(_ start: JSONValue) throws(PEFTError) {
    switch start {
    case .bool: return
    case .string(let name) where Self.plainStarts.contains(name.lowercased()): return
    default:
      throw .unsupported(
        folder: folder,
        reason:
          "'init_lora_weights' is \(start.short), so PEFT changes the base model's weights when it loads it",
        help:
          "turn it into a plain LoRA: in PEFT save it once more with path_initial_model_for_weight_conversion"
      )
    }
  }

  private func unsupported(_ key: String, _ value: JSONValue) -> PEFTError {
    .unsupported(folder: folder, reason: "'\(key)' is \(value.short)")
  }
}

extension JSONValue {
  /// Whether it stands for "not used".
  fileprivate var isNothing: Bool {
    switch self {
    case .null, .bool(false): true
    case .array(let elements): elements.isEmpty
    case .object(let object): object.isEmpty
    default: false
    }
  }

  /// As a message has it: not more than a line.
  fileprivate var short: String {
    let text = text(.line)
    return text.count > 80 ? text.prefix(80) + "…" : text
  }
}
