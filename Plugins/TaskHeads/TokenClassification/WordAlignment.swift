import PTune

/// The words of a row, where they stand in its text, and which tokens are their pieces.
struct WordAlignment {
  let texts: [String]
  /// The bytes of each word in the text.
  let bytes: [Range<Int>]
  /// The word that each token is a piece of; nil for special tokens and for what stands between words.
  let ofToken: [Int?]
  /// The first piece of each word; nil for a word that was cut off, or that the tokenizer drops.
  let firstToken: [Int?]
  private let text: [UInt8]

  var count: Int { texts.count }

  /// The words of the field `words`, sought in the text one after the other; without it what stands between blanks.
  ///
  /// - Throws: `ComponentFailure` for a row without a text, and for a word that is not where it should be.
  init(_ example: Example) throws {
    guard let text = example.field("text") else {
      throw ComponentFailure.badArgument("token-classification needs the text of a row, not only its tokens")
    }
    self.text = Array(text.utf8)
    bytes =
      try example.list("words").map { [text = self.text] in try Self.places(of: $0, in: text) }
      ?? Self.words(of: self.text)
    texts = bytes.map { [text = self.text] in String(decoding: text[$0], as: UTF8.self) }

    var ofToken: [Int?] = []
    var firstToken = [Int?](repeating: nil, count: bytes.count)
    var word = 0
    for (index, token) in example.tokens.enumerated() {
      guard token.field == 0 else {
        ofToken.append(nil)
        continue
      }
      while word < bytes.count, bytes[word].upperBound <= token.bytes.lowerBound { word += 1 }
      // A piece may begin at the blank in front of its word.
      let isPiece =
        word < bytes.count
        && (bytes[word].contains(token.bytes.lowerBound) || bytes[word].overlaps(token.bytes))
      ofToken.append(isPiece ? word : nil)
      if isPiece, firstToken[word] == nil { firstToken[word] = index }
    }
    self.ofToken = ofToken
    self.firstToken = firstToken
  }

  /// A part of the text as it was given.
  func original(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }

  /// The place of a part of the text in Unicode scalars.
  func scalars(_ range: Range<Int>) -> Range<Int> { scalarPlace(of: range, in: text) }

  /// Each word's place, from where the word before ended.
  private static func places(of words: [String], in text: [UInt8]) throws -> [Range<Int>] {
    var end = 0
    return try words.map { word in
      let sought = Array(word.utf8)
      var begin = end
      while begin + sought.count <= text.count, !text[begin...].starts(with: sought) { begin += 1 }
      guard begin + sought.count <= text.count else {
        throw ComponentFailure.badArgument(
          "the word '\(word)' is not in the text after character \(scalarPlace(of: 0..<end, in: text).upperBound)"
        )
      }
      end = begin + sought.count
      return begin..<end
    }
  }

  /// What stands between blanks.
  private static func words(of text: [UInt8]) -> [Range<Int>] {
    text.split { $0 == 0x20 || (0x09...0x0D).contains($0) }.map { $0.startIndex..<$0.endIndex }
  }
}
