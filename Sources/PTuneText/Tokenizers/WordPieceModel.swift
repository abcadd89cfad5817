/// Spells a word with the vocabulary: the longest entry first, then the longest entry that continues it, and so on.
///
/// Source: Schuster and Nakajima, "Japanese and Korean voice search", https://doi.org/10.1109/ICASSP.2012.6289079;
/// greedy as in BERT.
struct WordPieceModel: Sendable {
  let vocabulary: Vocabulary
  /// What a word becomes that cannot be spelled.
  let unknown: Int32
  /// What an entry that continues a word begins with.
  let continuingPrefix: String
  /// Longer words, in characters, are unknown at once.
  let maximumCharacters: Int
  /// Where continuing entries begin in the vocabulary; nil when there are none.
  private let continuation: UInt32?

  init(vocabulary: Vocabulary, unknown: Int32, continuingPrefix: String = "##", maximumCharacters: Int = 100)
  {
    self.vocabulary = vocabulary
    self.unknown = unknown
    self.continuingPrefix = continuingPrefix
    self.maximumCharacters = maximumCharacters
    continuation = vocabulary.trie.node(continuingPrefix.utf8)
  }

  /// Appends the pieces of the word that is `range` of `text`, whose bytes are `bytes`.
  @inline(__always)
  func spell(
    _ text: NormalizedText, _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>,
    into pieces: inout [TokenPiece]
  ) {
    let count = pieces.count
    var begin = range.lowerBound
    if range.count <= maximumCharacters || characters(bytes, range) <= maximumCharacters {
      while begin < range.upperBound,
        let root = begin == range.lowerBound ? ByteTrie.root : continuation,
        let found = vocabulary.trie.longest(bytes, begin, range.upperBound, from: root)
      {
        pieces.append(TokenPiece(id: found.value, begin: text.begins[begin], end: text.ends[found.end - 1]))
        begin = found.end
      }
    }
    if begin < range.upperBound {
      pieces.removeLast(pieces.count - count)
      pieces.append(
        TokenPiece(id: unknown, begin: text.begins[range.lowerBound], end: text.ends[range.upperBound - 1]))
    }
  }

  private func characters(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
    bytes[range].reduce(0) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) }
  }
}

/// Puts word pieces together again, as `WordPiece` of Hugging Face's decoders does.
struct WordPieceDecoder: Equatable, Sendable {
  let continuingPrefix: String
  /// Takes out the space before punctuation and contractions.
  let cleansUp: Bool

  // NB: works on bytes, because to Swift's strings "##" before a combining mark is not "##".
  func decode(_ tokens: [String]) -> String {
    var text: [UInt8] = []
    for (index, token) in tokens.enumerated() {
      var piece = Array(token.utf8)
      if index > 0 {
        if piece.starts(with: continuingPrefix.utf8) {
          piece.removeFirst(continuingPrefix.utf8.count)
        } else {
          piece.insert(UInt8(ascii: " "), at: 0)
        }
      }
      text += cleansUp ? cleaned(piece) : piece
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// A token at a time, as the reference does it: so only what lies within one token changes.
  private func cleaned(_ piece: [UInt8]) -> [UInt8] {
    guard piece.contains(UInt8(ascii: " ")) else { return piece }
    return Self.contractions.reduce(piece) { $0.replacing($1.0, with: $1.1) }
  }

  private static let contractions = [
    (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
    (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
  ].map { (Array($0.0.utf8), Array($0.1.utf8)) }
}
