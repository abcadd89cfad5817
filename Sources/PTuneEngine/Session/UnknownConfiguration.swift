import CPTune

extension Session {
  /// Warns of keys of config.json that the base model, just created, neither read nor knows, where it says what it knows.
  func warnOfUnknownConfiguration(_ checkpoint: any CheckpointSource, _ identity: ComponentIdentity) {
    guard let understood = services.configurationUnderstood else { return }
    let read = services.configurationRead
    let unknown = checkpoint.configurationKeys.filter { key in
      // A list is read through its elements, an object is understood as a whole.
      !CommonConfiguration.holds(key) && !read.contains(key)
        && !read.contains { $0.hasPrefix(key + ".") }
        && !key.prefixesAtDots.contains { understood.contains($0) }
    }
    guard !unknown.isEmpty else { return }
    let names = unknown.map { "'\($0)'" }.joined(separator: ", ")
    log(
      ptune_log_level(PTUNE_LOG_WARNING),
      "config.json: \(identity.component) does not know \(names); if this changes what the model computes, its results "
        + "here are not those of the original")
  }
}

/// Keys that transformers writes for models of every kind and that change no hidden row, or that are read elsewhere.
enum CommonConfiguration {
  /// Whether a key, or the object that it lies in, is one of them.
  static func holds(_ key: String) -> Bool {
    let first = key.split(separator: ".").first.map(String.init) ?? key
    return first.hasPrefix("_") || keys.contains(first)
  }

  private static let keys: Set<String> = [
    "architectures", "attn_implementation", "auto_map", "bad_words_ids", "begin_suppress_tokens",
    "bos_token_id",
    "chunk_size_feed_forward", "cls_token_id", "decoder_start_token_id", "diversity_penalty", "do_sample",
    "dtype",
    "early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id", "exponential_decay_length_penalty",
    "finetuning_task", "forced_bos_token_id", "forced_eos_token_id", "gradient_checkpointing", "id2label",
    "initializer_range", "is_decoder", "is_encoder_decoder", "label2id", "length_penalty", "mask_token_id",
    "max_length", "min_length", "model_type", "name_or_path", "no_repeat_ngram_size", "num_beam_groups",
    "num_beams",
    "num_return_sequences", "output_attentions", "output_hidden_states", "output_scores", "pad_token_id",
    "prefix",
    "problem_type", "pruned_heads", "remove_invalid_values", "repetition_penalty", "return_dict",
    "return_dict_in_generate", "sep_token_id", "suppress_tokens", "task_specific_params", "temperature",
    "tf_legacy_loss", "tie_encoder_decoder", "tokenizer_class", "top_k", "top_p", "torch_dtype",
    "torchscript",
    "transformers_version", "typical_p", "use_bfloat16", "use_cache",
  ]
}

extension String {
  /// "a", "a.b" and "a.b.c" of "a.b.c".
  fileprivate var prefixesAtDots: [String] {
    var prefixes: [String] = []
    for part in split(separator: ".", omittingEmptySubsequences: false) {
      prefixes.append(prefixes.last.map { "\($0).\(part)" } ?? String(part))
    }
    return prefixes
  }
}
