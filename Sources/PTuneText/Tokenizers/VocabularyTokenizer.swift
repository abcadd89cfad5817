/// A tokenizer of a vocabulary and of tokens added to it: what the two say of a token and its id.
protocol VocabularyTokenizer: Tokenizer {
  /// Tokens as they stand in the file.
  var vocabulary: Vocabulary { get }
  /// Tokens that are recognised before the text is cut into words.
  var added: AddedTokens { get }
  /// What the decoder makes of tokens; nil without one.
  func text(of tokens: [String]) -> String?
}

extension VocabularyTokenizer {
  var vocabularySize: Int { Swift.max(vocabulary.tokens.count, Int(added.largestID) + 1) }

  func token(_ id: Int32) -> String? { added[id]?.content ?? vocabulary.token(id) }

  func id(_ token: String) -> Int32? { added.id(token) ?? vocabulary.id(token) }

  /// Without a decoder tokens have a space between them.
  func decode(_ ids: some Sequence<Int32>, skippingSpecialTokens: Bool) -> String {
    let tokens = ids.compactMap { id in
      skippingSpecialTokens && added[id]?.isSpecial == true ? nil : token(id)
    }
    return text(of: tokens) ?? tokens.joined(separator: " ")
  }
}
