extension Tokenizer {
  /// The pieces of a text's words, each word cut by itself, as transformers does it with `is_split_into_words`: no piece
  /// reaches from one word into another.
  ///
  /// A word begins with the blank in front of it where the tokenizer has different pieces for a word behind a blank; the
  /// first one too, so that a word has the same pieces everywhere. That is `add_prefix_space` of byte-level tokenizers.
  /// - Parameter words: the bytes of each word in the UTF-8 text, in order.
  /// - Returns: pieces with places in the text; no place begins in front of its word.
  public func pieces(words: [Range<Int>], of text: String) -> [TokenPiece] {
    var text = text
    let blank: [UInt8] = tellsBlanks ? [0x20] : []
    return text.withUTF8 { bytes in
      words.flatMap { word -> [TokenPiece] in
        let front = bytes[word].first == 0x20 ? [] : blank
        let pieces = (front + bytes[word]).withUnsafeBufferPointer { self.pieces(utf8: $0) }
        let place = { (byte: Int32) in Int32(word.lowerBound) + max(0, byte - Int32(front.count)) }
        return pieces.map { TokenPiece(id: $0.id, begin: place($0.begin), end: place($0.end)) }
      }
    }
  }

  /// Whether a word behind a blank has other pieces than the same word at the beginning of a text.
  private var tellsBlanks: Bool {
    let word = pieces("a").map(\.id)
    return pieces("a a").map(\.id) != word + word
  }
}

/// Where the words of a text are.
public enum WordPlaces {
  /// The bytes of what stands between blanks: space, tab and line ends.
  public static func between(blanksOf text: String) -> [Range<Int>] {
    let bytes = Array(text.utf8)
    return bytes.split { $0 == 0x20 || (0x09...0x0D).contains($0) }.map { $0.startIndex..<$0.endIndex }
  }

  /// The bytes of these words, each sought from where the word before ended; nil if one is not there.
  public static func of(_ words: [String], in text: String) -> [Range<Int>]? {
    let bytes = Array(text.utf8)
    var end = 0
    var places: [Range<Int>] = []
    for word in words {
      guard let place = bytes[end...].firstRange(of: Array(word.utf8)) else { return nil }
      places.append(place)
      end = place.upperBound
    }
    return places
  }
}
