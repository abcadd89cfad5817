import PTuneFormats

/// Spells a word by the most probable sequence of tokens: each token has a log probability of its own, and the best sum
/// wins (Kudo, "Subword regularization", https://arxiv.org/abs/1804.10959, section 3.2, by Viterbi's algorithm).
struct UnigramModel: SubwordModel {
  let vocabulary: Vocabulary
  let unknown: Int32?
  /// Log probability of each token.
  private let scores: [Double]
  /// What a character scores that no token spells alone: 10 below the worst token, as in SentencePiece.
  private let unknownScore: Double
  /// The token of each byte, `<0xXX>`; nil where unknown characters do not become bytes or one is missing.
  private let bytes: [Int32]?

  init(vocabulary: Vocabulary, scores: [Double], unknown: Int32?, fallsBackToBytes: Bool) {
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = unknown
    unknownScore = (scores.min() ?? 0) - 10
    let bytes = (0..<256).map { vocabulary.id(ByteAlphabet.fallbackName($0)) ?? -1 }
    self.bytes = fallsBackToBytes ? bytes : nil
  }

  /// The best way to spell a word up to a place.
  struct Best {
    var score = 0.0
    /// Where its last token begins; -1 where no way leads.
    var begin = -1
    /// Its last token.
    var id: Int32 = 0
    /// Whether that stands for a character that no token spells.
    var isUnknown = false
  }

  func scratch() -> [Best] { [] }

  func spell(
    _ text: TextView, _ range: Range<Int>, _ best: inout [Best], into pieces: inout [TokenPiece]
  ) {
    search(text.bytes, range, &best)
    // From the end, then turned round.
    let first = pieces.count
    var end = range.count
    while end > 0 {
      let last = best[end]
      guard last.isUnknown else {
        let place = text.place(range.lowerBound + last.begin..<range.lowerBound + end)
        pieces.append(TokenPiece(id: last.id, begin: place.lowerBound, end: place.upperBound))
        end = last.begin
        continue
      }
      // Unknown characters that stand together are one.
      var begin = last.begin
      while begin > 0, best[begin].isUnknown { begin = best[begin].begin }
      appendUnknown(text, range.lowerBound + begin..<range.lowerBound + end, to: &pieces)
      end = begin
    }
    pieces[first...].reverse()
  }

  private func search(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ best: inout [Best]) {
    best.removeAll(keepingCapacity: true)
    best.append(contentsOf: repeatElement(Best(), count: range.count + 1))
    var begin = 0
    while begin < range.count {
      let here = best[begin].score
      let character = UTF8Text.scalar(bytes, range.lowerBound + begin).length
      var isSpelt = false
      func offer(_ end: Int, _ score: Double, _ id: Int32, isUnknown: Bool) {
        if best[end].begin < 0 || score > best[end].score {
          best[end] = Best(score: score, begin: begin, id: id, isUnknown: isUnknown)
        }
      }
      var (node, position) = (ByteTrie.root, begin)
      while position < range.count,
        let next = vocabulary.trie.child(of: node, bytes[range.lowerBound + position])
      {
        node = next
        position += 1
        guard let id = vocabulary.trie.value(at: node) else { continue }
        offer(position, scores[Int(id)] + here, id, isUnknown: id == unknown)
        if position - begin == character { isSpelt = true }
      }
      if !isSpelt { offer(begin + character, unknownScore + here, unknown ?? 0, isUnknown: true) }
      begin += character
    }
  }

  /// In reverse order, as the pieces are gathered.
  private func appendUnknown(_ text: TextView, _ range: Range<Int>, to pieces: inout [TokenPiece]) {
    let place = text.place(range)
    func append(_ id: Int32) {
      pieces.append(TokenPiece(id: id, begin: place.lowerBound, end: place.upperBound))
    }
    // Several unknown characters may spell a token after all.
    let known = vocabulary.trie.node(text.bytes[range]).flatMap { vocabulary.trie.value(at: $0) }
    if let known {
      append(known)
    } else if let bytes, range.allSatisfy({ bytes[Int(text.bytes[$0])] >= 0 }) {
      for position in range.reversed() { append(bytes[Int(text.bytes[position])]) }
    } else if let unknown {
      append(unknown)
    }
  }
}
