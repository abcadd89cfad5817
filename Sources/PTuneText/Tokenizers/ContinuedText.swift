/// A text and what follows it, cut into pieces together, as the model would read them in one text.
public struct ContinuedPieces: Equatable, Sendable {
  /// The pieces of the text.
  public let text: [TokenPiece]
  /// The pieces of what follows, a piece that reaches over the seam among them; places are bytes of what follows.
  public let continuation: [TokenPiece]
  /// Whether the pieces in front of the continuation differ from those of the text alone, which a model reads before it
  /// goes on: a piece reaches over the seam, or the seam changed what stands in front of it.
  public let changesText: Bool
}

extension Tokenizer {
  /// Cuts a text and what follows it, without anything between, as one text.
  public func pieces(_ text: String, continuedBy continuation: String) -> ContinuedPieces {
    let seam = Int32(text.utf8.count)
    let all = pieces(text + continuation)
    let first = all.firstIndex { $0.begin >= seam || $0.end > seam } ?? all.count
    let place = { (byte: Int32) in max(0, byte - seam) }
    return ContinuedPieces(
      text: Array(all[..<first]),
      continuation: all[first...].map { TokenPiece(id: $0.id, begin: place($0.begin), end: place($0.end)) },
      changesText: pieces(text).map(\.id) != all[..<first].map(\.id))
  }

  /// A text as a causal model goes on with it: the special tokens that stand in front of a text, the text, right after
  /// it the second one, if there is one, and the token that ends a text.
  ///
  /// What is too long loses the beginning of its text if a second one follows, which is what is to be learnt; else, or
  /// if that does not suffice, its end, and then the token that ends it.
  /// - Parameters:
  ///   - end: the token that ends a text; nil for none.
  ///   - maximumLength: the positions that are free, special tokens included. Nil cuts nothing.
  /// - Throws: `TextError.noRoomForText` when special tokens leave no position for text.
  public func encode(
    continuing first: [TokenPiece], with second: [TokenPiece]?, end: Int32?, maximumLength: Int? = nil
  ) throws(TextError) -> Encoding {
    let front = template.single.prefix { if case .special = $0 { true } else { false } }
    let ends = end == nil ? 0 : 1
    let length = front.count + first.count + (second?.count ?? 0) + ends
    var over = max(0, length - (maximumLength ?? length))
    if let maximumLength, maximumLength <= front.count + ends {
      throw .noRoomForText(maximumLength: maximumLength, specialTokens: front.count + ends)
    }
    let dropped = over
    var (text, continuation) = (first[...], second?[...])
    if continuation != nil {
      let cut = min(over, text.count)
      text = text.dropFirst(cut)
      over -= cut
    }
    let isCut = over > 0
    if isCut {
      // The token that ends a text does not end one that is cut.
      over -= ends
      text = continuation == nil ? text.dropLast(over) : text
      continuation = continuation?.dropLast(over)
    }
    let end: [SequenceTemplate.Part] = isCut ? [] : end.map { [.special(id: $0, type: 0)] } ?? []
    let texts: [SequenceTemplate.Part] = [.text(source: 0, type: 0), .text(source: 1, type: 0)]
    let parts = Array(front) + texts + end
    return Encoding(
      first: text, second: continuation, template: SequenceTemplate(single: parts, pair: parts),
      dropped: dropped)
  }
}
