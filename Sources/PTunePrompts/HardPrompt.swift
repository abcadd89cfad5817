import PTune

/// Tokens that a prompt starts from.
public enum HardPrompt {
  /// Tokens drawn from the most frequent of the training data (Lester et al. 2021, section 3.2).
  ///
  /// - Parameters:
  ///   - count: how many; tokens repeat only if there are fewer.
  ///   - frequent: from how many of the most frequent tokens to draw; the paper takes 5,000.
  /// - Throws: `ComponentFailure` if there are none.
  public static func sampled(_ count: Int, frequent: Int = 5000) throws -> [Int32] {
    var tokens = Base.frequentTokens(limit: frequent)
    guard !tokens.isEmpty else {
      throw ComponentFailure("the base model's vocabulary has no token to sample")
    }
    // A partial Fisher-Yates shuffle: the first places hold a sample without repetition.
    for place in 0..<min(count, tokens.count - 1) {
      tokens.swapAt(place, place + Int(Host.random() % UInt64(tokens.count - place)))
    }
    return (0..<count).map { tokens[$0 % tokens.count] }
  }

  /// A text's tokens, cut or repeated to `count`.
  ///
  /// - Throws: `ComponentFailure` if it has none.
  public static func text(_ text: String, _ count: Int) throws -> [Int32] {
    let tokens = Base.tokenize(text)
    guard !tokens.isEmpty else {
      throw ComponentFailure.badArgument("the initial text '\(text)' has no tokens; give it some words")
    }
    return (0..<count).map { tokens[$0 % tokens.count] }
  }
}
