import PTuneFormats

/// Cuts normalized text into words, which are then merged one by one.
struct PreTokenizer: Equatable, Sendable {
  /// What stands in front of a text.
  enum Prefix: Equatable, Sendable {
    case never
    /// In front of the very beginning only.
    case first
    /// In front of every stretch between added tokens.
    case always
  }

  /// One way of cutting; each cuts what the one before left.
  enum Split: Equatable, Sendable {
    case words(WordPattern)
    /// At the matches of a pattern.
    case pattern(PatternSplit)
    /// Digits apart from the rest, each by itself or as they stand together.
    case digits(individually: Bool)
    /// Runs of punctuation and of `$+<=>^~|` apart from the rest.
    case punctuation
    /// Three ASCII digits apart from the rest, from the left.
    case digitTriples
    /// In front of each separator.
    case separator([UInt8])
    /// In front of each run of separators.
    case separatorRun([UInt8])
  }

  /// Whether the text is first cut at white space, which is dropped; each stretch is then prepared by itself.
  var dropsSpaces = false
  /// What stands for a space: a space itself, or `▁`.
  var space: [UInt8] = [0x20]
  /// Whether the text gets a `space` in front when it does not begin with one.
  var prefix = Prefix.never
  var splits: [Split] = []
  /// Whether the vocabulary spells bytes, in GPT-2's alphabet.
  var isByteLevel = false

  /// The text with spaces replaced and the prefix added; nil when that changes nothing.
  func prepared(_ text: TextView, _ range: Range<Int>) -> NormalizedText? {
    let replaces = space != [0x20]
    let isPrefixed =
      switch prefix {
      case .never: false
      case .first: text.begin(range.lowerBound) == 0
      case .always: true
      }
    let first = text.bytes[range.lowerBound]
    let hasPrefix =
      replaces && first == 0x20
      || text.bytes[range].starts(with: space)
    guard replaces || isPrefixed && !hasPrefix else { return nil }
    var result = NormalizedText(capacity: range.count + range.count / 4 + space.count)
    if isPrefixed, !hasPrefix {
      result.append(space, from: text.place(range.lowerBound..<range.lowerBound + 1))
    }
    for position in range {
      if replaces, text.bytes[position] == 0x20 {
        result.append(space, from: text.place(position..<position + 1))
      } else {
        result.append(byte: text.bytes[position], from: text.place(position..<position + 1))
      }
    }
    return result
  }

  /// Hands over what stands between white space, from left to right.
  func stretches(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var (begin, position) = (range.lowerBound, range.lowerBound)
    while position < range.upperBound {
      let (kind, length) = WordClasses.shared.read(bytes, position)
      if kind.contains(.space) {
        if begin < position { body(begin..<position) }
        begin = position + length
      }
      position += length
    }
    if begin < position { body(begin..<position) }
  }

  /// Hands over the words of `range`, from left to right.
  @inline(__always)
  func words(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    cut(bytes, range, splits[...], WordClasses.shared, body)
  }

  private func cut(
    _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ splits: ArraySlice<Split>,
    _ classes: WordClasses, _ body: (Range<Int>) -> Void
  ) {
    guard let split = splits.first else { return body(range) }
    if case .pattern(let split) = split {
      for word in split.words(bytes, range) { cut(bytes, word, splits.dropFirst(), classes, body) }
      return
    }
    var begin = range.lowerBound
    while begin < range.upperBound {
      let end =
        switch split {
        case .words(let pattern): pattern.wordEnd(bytes, begin, range.upperBound, classes)
        case .pattern: range.upperBound
        case .digits(let individually): digitsEnd(bytes, begin, range.upperBound, individually, classes)
        case .punctuation: punctuationEnd(bytes, begin, range.upperBound)
        case .digitTriples: digitTriplesEnd(bytes, begin, range.upperBound)
        case .separator(let separator): separatorEnd(bytes, begin, range.upperBound, separator)
        case .separatorRun(let separator): separatorRunEnd(bytes, begin, range.upperBound, separator)
        }
      if splits.count == 1 {
        body(begin..<end)
      } else {
        cut(bytes, begin..<end, splits.dropFirst(), classes, body)
      }
      begin = end
    }
  }

  private func digitsEnd(
    _ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int, _ individually: Bool,
    _ classes: WordClasses
  ) -> Int {
    let (first, length) = classes.read(bytes, begin)
    let isDigit = first.contains(.digit)
    var position = begin + length
    if isDigit, individually { return position }
    while position < end, case let (kind, length) = classes.read(bytes, position),
      kind.contains(.digit) == isDigit
    {
      position += length
    }
    return position
  }

  private func punctuationEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int) -> Int {
    func read(_ position: Int) -> (is: Bool, length: Int) {
      let (scalar, length, _) = UTF8Text.scalar(bytes, position)
      // Of the ASCII symbols that BERT counts as punctuation all but the backtick.
      return (CharacterClasses.shared.flags(scalar).contains(.punctuation) && scalar != 0x60, length)
    }
    let first = read(begin)
    var position = begin + first.length
    while position < end, case let next = read(position), next.is == first.is { position += next.length }
    return position
  }

  private func digitTriplesEnd(_ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int) -> Int {
    func isTriple(_ position: Int) -> Bool {
      position + 3 <= end && (position..<position + 3).allSatisfy { (0x30...0x39).contains(bytes[$0]) }
    }
    if isTriple(begin) { return begin + 3 }
    return (begin + 1..<end).first(where: isTriple) ?? end
  }

  private func separatorEnd(
    _ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int, _ separator: [UInt8]
  ) -> Int {
    var position = begin + 1
    while position < end {
      if bytes[position] == separator[0], bytes[position..<end].starts(with: separator) { break }
      position += 1
    }
    return position
  }

  private func separatorRunEnd(
    _ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int, _ separator: [UInt8]
  ) -> Int {
    var position = begin
    while position < end, bytes[position..<end].starts(with: separator) { position += separator.count }
    return position < end ? separatorEnd(bytes, position, end, separator) : end
  }
}
