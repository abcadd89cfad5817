import PTuneFormats

/// Spells a word by byte-pair encoding: characters or bytes first, then merges in the order they were learnt.
///
/// Source: Sennrich, Haddow and Birch, "Neural machine translation of rare words with subword units",
/// https://doi.org/10.18653/v1/P16-1162; bytes as in Radford et al., "Language models are unsupervised multitask
/// learners" (GPT-2); byte fallback as in SentencePiece, https://arxiv.org/abs/1808.06226.
struct BPEModel: SubwordModel {
  /// Tokens as they stand in the file.
  let vocabulary: Vocabulary
  let merges: MergeTable
  /// What a character becomes that the vocabulary does not have; nil drops it.
  let unknown: Int32?
  /// Neighbouring unknown characters become one token.
  let fusesUnknown: Bool
  /// A word that is in the vocabulary as a whole is not merged.
  let ignoresMerges: Bool
  /// The words of the text are bytes in GPT-2's alphabet.
  let isByteLevel: Bool
  /// The token of each byte where the model has those: all bytes of a byte-level model, or `<0xXX>`. -1 where missing.
  private let bytes: [Int32]
  /// Whether characters outside the vocabulary become `<0xXX>`.
  private let fallsBackToBytes: Bool
  /// Ids by what a token stands for, for `ignoresMerges`.
  private let whole: ByteTrie

  init(
    vocabulary: Vocabulary, merges: MergeTable, unknown: Int32?, fusesUnknown: Bool, fallsBackToBytes: Bool,
    ignoresMerges: Bool, isByteLevel: Bool
  ) {
    self.vocabulary = vocabulary
    self.merges = merges
    self.unknown = unknown
    self.fusesUnknown = fusesUnknown
    self.fallsBackToBytes = fallsBackToBytes
    self.ignoresMerges = ignoresMerges
    self.isByteLevel = isByteLevel
    bytes = (0..<256).map {
      vocabulary.id(isByteLevel ? ByteAlphabet.character($0) : ByteAlphabet.fallbackName($0)) ?? -1
    }
    whole = ignoresMerges && isByteLevel ? Self.byteTrie(vocabulary) : vocabulary.trie
  }

  private static func byteTrie(_ vocabulary: Vocabulary) -> ByteTrie {
    var trie = ByteTrie(edges: vocabulary.tokens.count * 2)
    for (id, token) in vocabulary.tokens.enumerated() {
      if let token, let bytes = ByteAlphabet.bytes(of: token) { trie.insert(bytes, value: Int32(id)) }
    }
    return trie
  }

  func scratch() -> MergeRun { MergeRun() }

  func spell(_ text: TextView, _ range: Range<Int>, _ run: inout MergeRun, into pieces: inout [TokenPiece]) {
    if ignoresMerges, let found = whole.longest(text.bytes, range.lowerBound, range.upperBound),
      found.end == range.upperBound
    {
      return append(found.value, range, of: text, to: &pieces)
    }
    run.clear()
    if isByteLevel {
      appendBytes(text, range, &run)
    } else {
      appendCharacters(text, range, &run)
    }
    run.merge(merges)
    for symbol in run.symbols {
      append(symbol.id, Int(symbol.begin)..<Int(symbol.end), of: text, to: &pieces)
    }
  }

  @inline(__always)
  private func append(_ id: Int32, _ range: Range<Int>, of text: TextView, to pieces: inout [TokenPiece]) {
    let place = text.place(range)
    pieces.append(TokenPiece(id: id, begin: place.lowerBound, end: place.upperBound))
  }

  private func appendBytes(_ text: TextView, _ range: Range<Int>, _ run: inout MergeRun) {
    var pending: Range<Int>?
    for position in range {
      let id = bytes[Int(text.bytes[position])]
      if id >= 0 {
        flush(&pending, &run)
        run.append(id, position, position + 1)
      } else {
        appendUnknown(position..<position + 1, &pending, &run)
      }
    }
    flush(&pending, &run)
  }

  private func appendCharacters(_ text: TextView, _ range: Range<Int>, _ run: inout MergeRun) {
    var pending: Range<Int>?
    var position = range.lowerBound
    while position < range.upperBound {
      let end = position + UTF8Text.scalar(text.bytes, position).length
      if let id = id(text.bytes, position, end) {
        flush(&pending, &run)
        run.append(id, position, end)
      } else if fallsBackToBytes, (position..<end).allSatisfy({ bytes[Int(text.bytes[$0])] >= 0 }) {
        // NB: as in the reference, an unknown character before these still waits and comes after them.
        for byte in position..<end { run.append(bytes[Int(text.bytes[byte])], byte, byte + 1) }
      } else {
        appendUnknown(position..<end, &pending, &run)
      }
      position = end
    }
    flush(&pending, &run)
  }

  /// The token of one character.
  @inline(__always)
  private func id(_ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int) -> Int32? {
    var node = ByteTrie.root
    for position in begin..<end {
      guard let next = vocabulary.trie.child(of: node, bytes[position]) else { return nil }
      node = next
    }
    return vocabulary.trie.value(at: node)
  }

  private func appendUnknown(_ character: Range<Int>, _ pending: inout Range<Int>?, _ run: inout MergeRun) {
    guard unknown != nil else { return }
    if let before = pending, fusesUnknown {
      pending = before.lowerBound..<character.upperBound
    } else {
      flush(&pending, &run)
      pending = character
    }
  }

  @inline(__always)
  private func flush(_ pending: inout Range<Int>?, _ run: inout MergeRun) {
    guard let range = pending, let unknown else { return }
    run.append(unknown, range.lowerBound, range.upperBound)
    pending = nil
  }
}
