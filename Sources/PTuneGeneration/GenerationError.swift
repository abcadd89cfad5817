import PTuneFormats

/// Why no text is generated.
public enum GenerationError: HelpfulError, Equatable {
  /// The base model is not causal.
  case notCausal(reason: String)
  /// A head that does not generate text.
  case head(String)
  /// A prompt to go on with is too long; `place` is its file and line.
  case longPrompt(place: String, tokens: Int, room: Int)
  /// A prompt to go on with has no tokens, and the tokenizer has none that begins a text.
  case emptyPrompt(place: String)
  /// A conversation that the chat template does not take.
  case conversation(place: String, reason: String)
  /// The scores of the next token are not numbers.
  case scores
}

extension GenerationError {
  /// What went wrong, where.
  public var description: String {
    switch self {
    case .notCausal(let reason): reason
    case .head(let head): "the head '\(head)' does not generate text"
    case .longPrompt(let place, let tokens, let room):
      "\(place): the prompt has \(tokens) tokens, but the base model has positions for \(room), not counting virtual tokens"
    case .emptyPrompt(let place):
      "\(place): the prompt is empty, and the tokenizer has no token that begins a text"
    case .conversation(let place, let reason): "\(place): \(reason)"
    case .scores: "the base model's scores of the next token are not numbers"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .notCausal:
      "give a causal model, such as GPT-2 or Llama; what an adapter on an encoder makes of texts, "
        + "`ptune predict` shows"
    case .head: "omit --generate; it is for the head causal-lm"
    case .longPrompt: "shorten it; prompts are not truncated"
    case .emptyPrompt: "give at least one word"
    case .conversation: "correct the conversation, or name another format with --chat-template"
    case .scores:
      "check whether the model's or the adapter's weights are damaged, or training diverged"
    }
  }
}
