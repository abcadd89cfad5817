/// A conversation in tokens.
public struct ChatPieces: Equatable, Sendable {
  /// Its tokens, special ones included: the template writes them.
  public let pieces: [TokenPiece]
  /// Which of them the assistant says, each turn's end included.
  public let isAnswer: [Bool]
}

extension Tokenizer {
  /// A conversation in tokens: one text, or several where the template rewrites earlier turns; see
  /// ``ChatTemplate/answers(in:)``.
  ///
  /// - Throws: ``ChatTemplateError``, ``ChatError``.
  public func pieces(chat messages: [ChatMessage], _ template: ChatTemplate) throws -> [ChatPieces] {
    try template.answers(in: messages).map { answered in
      let pieces = pieces(answered.text)
      var next = answered.answers[...]
      let isAnswer = pieces.map { piece in
        while let range = next.first, Int(piece.begin) >= range.upperBound { next.removeFirst() }
        guard let range = next.first else { return false }
        // A token that began before the answer belongs to it too if it ends within.
        return Int(piece.end) > range.lowerBound && Int(piece.begin) < range.upperBound
      }
      return ChatPieces(pieces: pieces, isAnswer: isAnswer)
    }
  }

  /// The token that ends an answer, where the template puts a token there that stands for itself.
  public func answerEnd(_ template: ChatTemplate) -> Int32? {
    let end = template.answerEnd.drop { $0 == " " }
    guard let first = pieces(String(end)).first, let token = token(first.id), end.hasPrefix(token),
      decode([first.id], skippingSpecialTokens: true).isEmpty
    else { return nil }
    return first.id
  }

  /// A conversation as the model reads it, cut at its end to what fits.
  ///
  /// - Returns: its positions; those that the assistant says come from text 1, the others from text 0.
  public func encode(_ chat: ChatPieces, maximumLength: Int? = nil) -> Encoding {
    let count = Swift.min(chat.pieces.count, maximumLength ?? .max)
    return Encoding(
      chat: Array(zip(chat.pieces, chat.isAnswer).prefix(count)), dropped: chat.pieces.count - count)
  }
}
