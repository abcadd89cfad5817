import PTuneFormats

/// BERT's tokenizer: clean-up, words at white space and punctuation, word pieces. Gives the ids and places that
/// Hugging Face `tokenizers` gives.
struct WordPieceTokenizer: VocabularyTokenizer {
  let normalizer: BertNormalizer
  let model: WordPieceModel
  let added: AddedTokens
  let template: SequenceTemplate
  /// Nil puts a space between all tokens.
  let decoder: WordPieceDecoder?
  let specialTokens: SpecialTokens

  var vocabulary: Vocabulary { model.vocabulary }

  func pieces(utf8 bytes: UnsafeBufferPointer<UInt8>) -> [TokenPiece] {
    var pieces: [TokenPiece] = []
    pieces.reserveCapacity(bytes.count / 4 + 8)
    added.split(bytes) { id, range in
      if let id {
        pieces.append(TokenPiece(id: id, begin: Int32(range.lowerBound), end: Int32(range.upperBound)))
      } else {
        appendPieces(of: normalizer.normalize(bytes, range), to: &pieces)
      }
    }
    return pieces
  }

  private func appendPieces(of text: NormalizedText, to pieces: inout [TokenPiece]) {
    text.bytes.withUnsafeBufferPointer { bytes in
      guard added.hasNormalized else {
        return appendWords(of: text, bytes, 0..<bytes.count, to: &pieces)
      }
      added.splitNormalized(bytes) { id, range in
        if let id {
          pieces.append(
            TokenPiece(id: id, begin: text.begins[range.lowerBound], end: text.ends[range.upperBound - 1]))
        } else {
          appendWords(of: text, bytes, range, to: &pieces)
        }
      }
    }
  }

  /// `BertPreTokenizer`: white space separates words, and each punctuation character is a word.
  private func appendWords(
    of text: NormalizedText, _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
    to pieces: inout [TokenPiece]
  ) {
    let classes = CharacterClasses.shared
    var (word, position) = (range.lowerBound, range.lowerBound)
    while position < range.upperBound {
      let (scalar, length, _) = UTF8Text.scalar(bytes, position)
      let flags = classes.flags(scalar)
      if flags.rawValue & (CharacterFlags.whitespace.rawValue | CharacterFlags.punctuation.rawValue) != 0 {
        if word < position { model.spell(text, bytes, word..<position, into: &pieces) }
        word = position + length
        if flags.contains(.punctuation) { model.spell(text, bytes, position..<word, into: &pieces) }
      }
      position += length
    }
    if word < position { model.spell(text, bytes, word..<position, into: &pieces) }
  }

  func text(of tokens: [String]) -> String? { decoder?.decode(tokens) }
}
