import PTuneFormats

/// What spells a word in tokens of a vocabulary.
protocol SubwordModel: Sendable {
  /// Memory that one word after the other is spelt in.
  associatedtype Scratch
  /// Tokens as they stand in the file.
  var vocabulary: Vocabulary { get }
  /// What stands for a character that the vocabulary does not have.
  var unknown: Int32? { get }
  /// Memory to spell in.
  func scratch() -> Scratch
  /// Appends the pieces of the word that is `range` of the text.
  func spell(_ text: TextView, _ range: Range<Int>, _ scratch: inout Scratch, into pieces: inout [TokenPiece])
}

/// A tokenizer as `tokenizer.json` describes it: normalizer, pre-tokenizer, model, decoder. Gives the ids and places that
/// Hugging Face `tokenizers` gives.
struct SubwordTokenizer<Model: SubwordModel>: VocabularyTokenizer {
  let normalizer: NormalizerSteps
  let preTokenizer: PreTokenizer
  let model: Model
  let added: AddedTokens
  let template: SequenceTemplate
  let trimming: PlaceTrimming?
  let decoder: TokenDecoder?
  let specialTokens: SpecialTokens

  var vocabulary: Vocabulary { model.vocabulary }

  func pieces(utf8 bytes: UnsafeBufferPointer<UInt8>) -> [TokenPiece] {
    var pieces: [TokenPiece] = []
    pieces.reserveCapacity(bytes.count / 3 + 8)
    var run = model.scratch()
    let isValid = UTF8Text.firstInvalid(bytes) == nil
    added.split(bytes) { id, range in
      if let id {
        pieces.append(TokenPiece(id: id, begin: Int32(range.lowerBound), end: Int32(range.upperBound)))
      } else if isValid, normalizer.leavesUnchanged(bytes, range) {
        appendStretch(TextView(original: bytes), range, &run, to: &pieces)
      } else {
        let text = normalizer.normalize(bytes, range)
        text.withView { appendStretch($0, 0..<text.bytes.count, &run, to: &pieces) }
      }
    }
    trimming?.trim(&pieces, bytes)
    return pieces
  }

  /// A stretch of normalized text, in which added tokens may still be found.
  private func appendStretch(
    _ text: TextView, _ range: Range<Int>, _ run: inout Model.Scratch, to pieces: inout [TokenPiece]
  ) {
    guard added.hasNormalized else { return appendWords(text, range, &run, to: &pieces) }
    added.splitNormalized(UnsafeBufferPointer(rebasing: text.bytes[range])) { id, part in
      let part = part.lowerBound + range.lowerBound..<part.upperBound + range.lowerBound
      if let id {
        let place = text.place(part)
        pieces.append(TokenPiece(id: id, begin: place.lowerBound, end: place.upperBound))
      } else {
        appendWords(text, part, &run, to: &pieces)
      }
    }
  }

  private func appendWords(
    _ text: TextView, _ range: Range<Int>, _ run: inout Model.Scratch, to pieces: inout [TokenPiece]
  ) {
    guard preTokenizer.dropsSpaces else { return appendPrepared(text, range, &run, to: &pieces) }
    preTokenizer.stretches(text.bytes, range) { appendPrepared(text, $0, &run, to: &pieces) }
  }

  private func appendPrepared(
    _ text: TextView, _ range: Range<Int>, _ run: inout Model.Scratch, to pieces: inout [TokenPiece]
  ) {
    guard !range.isEmpty else { return }
    if let prepared = preTokenizer.prepared(text, range) {
      prepared.withView { text in
        preTokenizer.words(text.bytes, 0..<text.bytes.count) { model.spell(text, $0, &run, into: &pieces) }
      }
    } else {
      preTokenizer.words(text.bytes, range) { model.spell(text, $0, &run, into: &pieces) }
    }
  }

  func text(of tokens: [String]) -> String? { decoder?.decode(tokens) }
}
