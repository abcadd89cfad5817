import PTuneFormats

/// A token that is recognised in the text as a whole, before the text is cut into words.
struct AddedToken: Equatable, Sendable {
  let id: Int32
  let content: String
  /// Only where no letter or digit touches it.
  var isSingleWord = false
  /// Takes white space before it with it.
  var stripsLeft = false
  /// Takes white space after it with it.
  var stripsRight = false
  /// Looked for in the normalized text rather than in the text as given.
  var isNormalized = false
  /// Left out by `decode` on request.
  var isSpecial = false
}

/// Finds added tokens in text: leftmost first, and the longest of those that begin at one place.
struct AddedTokens: Sendable {
  private var byID: [Int32: AddedToken] = [:]
  private var raw = ByteTrie()
  private var normalized = ByteTrie()
  /// Bytes that a token of the trie begins with, to pass over all others quickly.
  private var rawStarts = [Bool](repeating: false, count: 256)
  private var normalizedStarts = [Bool](repeating: false, count: 256)

  /// Whether any token is looked for in normalized text.
  private(set) var hasNormalized = false

  /// The largest id.
  private(set) var largestID: Int32 = -1

  /// Adds a token; `normalizer` is what the text goes through, and so a token that is looked for behind it.
  mutating func add(_ token: AddedToken, normalizer: some TextNormalizer) {
    byID[token.id] = token
    largestID = Swift.max(largestID, token.id)
    guard let first = token.content.utf8.first else { return }
    guard token.isNormalized else {
      rawStarts[Int(first)] = true
      return raw.insert(token.content.utf8, value: token.id)
    }
    let bytes = Array(token.content.utf8).withUnsafeBufferPointer {
      normalizer.normalize($0, 0..<$0.count).bytes
    }
    guard let first = bytes.first else { return }
    normalizedStarts[Int(first)] = true
    normalized.insert(bytes, value: token.id)
    hasNormalized = true
  }

  /// How many there are.
  var count: Int { byID.count }

  subscript(id: Int32) -> AddedToken? { byID[id] }

  /// The id of the added token with this content.
  // NB: compares bytes; to Swift's strings a composed and a decomposed letter are equal.
  func id(_ content: String) -> Int32? {
    byID.values.first { $0.content.utf8.elementsEqual(content.utf8) }?.id
  }

  /// Cuts text as given around the tokens in it; `body` gets a token's id, or nil for the text between.
  func split(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (Int32?, Range<Int>) -> Void) {
    split(bytes, raw, rawStarts, body)
  }

  /// Cuts normalized text around the tokens in it.
  func splitNormalized(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (Int32?, Range<Int>) -> Void) {
    split(bytes, normalized, normalizedStarts, body)
  }

  private func split(
    _ bytes: UnsafeBufferPointer<UInt8>, _ trie: ByteTrie, _ starts: [Bool],
    _ body: (Int32?, Range<Int>) -> Void
  ) {
    var (position, done) = (0, 0)
    while position < bytes.count {
      guard starts[Int(bytes[position])], let match = trie.longest(bytes, position, bytes.count),
        let token = byID[match.value]
      else {
        position += 1
        continue
      }
      var (begin, end) = (position, match.end)
      position = end
      if token.isSingleWord, wordEnds(bytes, at: begin) || wordBegins(bytes, at: end) { continue }
      // NB: white space that the token before took stays with that one.
      if token.stripsLeft { begin = Swift.max(spaceBefore(bytes, begin), done) }
      if token.stripsRight { end = spaceAfter(bytes, end) }
      if done < begin { body(nil, done..<begin) }
      body(token.id, begin..<end)
      done = end
    }
    if done < bytes.count { body(nil, done..<bytes.count) }
  }

  private func wordEnds(_ bytes: UnsafeBufferPointer<UInt8>, at end: Int) -> Bool {
    end > 0 && isWordCharacter(UTF8Text.scalar(bytes, characterBegin(bytes, before: end)).scalar)
  }

  private func wordBegins(_ bytes: UnsafeBufferPointer<UInt8>, at begin: Int) -> Bool {
    begin < bytes.count && isWordCharacter(UTF8Text.scalar(bytes, begin).scalar)
  }

  private func spaceBefore(_ bytes: UnsafeBufferPointer<UInt8>, _ end: Int) -> Int {
    var begin = end
    while begin > 0 {
      let character = characterBegin(bytes, before: begin)
      guard isSpace(UTF8Text.scalar(bytes, character).scalar) else { break }
      begin = character
    }
    return begin
  }

  private func spaceAfter(_ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int) -> Int {
    var end = begin
    while end < bytes.count {
      let (scalar, length, _) = UTF8Text.scalar(bytes, end)
      guard isSpace(scalar) else { break }
      end += length
    }
    return end
  }

  private func characterBegin(_ bytes: UnsafeBufferPointer<UInt8>, before end: Int) -> Int {
    var begin = end - 1
    while begin > 0, bytes[begin] & 0xC0 == 0x80 { begin -= 1 }
    return begin
  }

  private func isSpace(_ scalar: UInt32) -> Bool {
    CharacterClasses.shared.flags(scalar).contains(.whitespace)
  }

  /// `\w` of regular expressions (UTS 18): letters, marks, decimal digits, connectors, joiners.
  private func isWordCharacter(_ scalar: UInt32) -> Bool {
    guard let properties = Unicode.Scalar(scalar)?.properties else { return false }
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return properties.isAlphabetic || properties.isJoinControl
    }
  }
}
