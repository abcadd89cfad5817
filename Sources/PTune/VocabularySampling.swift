extension Parameter.Initial {
  /// Word embeddings of tokens drawn from the most frequent of the training data (Lester et al. 2021, section
  /// 3.2): `[count, hidden]`.
  ///
  /// - Parameters:
  ///   - count: how many rows; tokens repeat only if there are fewer.
  ///   - frequent: from how many of the most frequent tokens to draw; the paper takes 5,000.
  public static func sampledVocabulary(_ count: Int, frequent: Int = 5000) throws -> Parameter.Initial {
    var tokens = Base.frequentTokens(limit: frequent)
    guard !tokens.isEmpty else {
      throw ComponentFailure("the base model's vocabulary has no token to sample")
    }
    // A partial Fisher-Yates shuffle: the first places hold a sample without repetition.
    for place in 0..<min(count, tokens.count - 1) {
      tokens.swapAt(place, place + Int(Host.random() % UInt64(tokens.count - place)))
    }
    return .values(try Base.wordRows((0..<count).map { tokens[$0 % tokens.count] }))
  }

  /// Word embeddings of a text's tokens, cut or repeated to `count` rows: `[count, hidden]`.
  public static func text(_ text: String, _ count: Int) throws -> Parameter.Initial {
    let tokens = Base.tokenize(text)
    guard !tokens.isEmpty else {
      throw ComponentFailure.badArgument("the initial text '\(text)' has no tokens; give it some words")
    }
    return .values(try Base.wordRows((0..<count).map { tokens[$0 % tokens.count] }))
  }
}
