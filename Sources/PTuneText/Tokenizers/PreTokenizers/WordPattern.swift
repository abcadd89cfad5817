/// Regular expressions of widespread tokenizers, each matched by hand for speed; all others are matched as they are written.
///
/// Every pattern matches any text without a gap, so a word ends where the next begins.
enum WordPattern: Equatable, Sendable {
  /// GPT-2 and RoBERTa: contractions, then letters, numbers or other characters, each with a space before it, then
  /// white space but for the last character before a word.
  case gpt2
  /// GPT-4, Llama 3 and Qwen 2: contractions in either case, any one character before letters, at most so many
  /// digits, line ends that follow other characters, white space up to its last line end.
  case gpt4(digits: Int)

  /// The pattern with this text; nil for a text that is none of those published.
  init?(_ text: String) {
    guard let pattern = Self.published.first(where: { $0.text.utf8.elementsEqual(text.utf8) })?.pattern else {
      return nil
    }
    self = pattern
  }

  private static let published: [(text: String, pattern: WordPattern)] = [
    (#"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#, .gpt2),
    (#"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#, .gpt2),
    (
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"#
        + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#, .gpt4(digits: 3)
    ),
    // NB: in these two, backtracking and possessive quantifiers come to the same as in the one before.
    (
      #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}"#
        + #"| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#, .gpt4(digits: 3)
    ),
    (
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"#
        + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#, .gpt4(digits: 1)
    ),
  ]

  /// Where the word ends that begins at `begin`; the text ends at `end`, which lies behind `begin`.
  @inline(__always)
  func wordEnd(
    _ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int, _ classes: WordClasses
  ) -> Int {
    let scan = WordScan(bytes: bytes, end: end, classes: classes)
    return switch self {
    case .gpt2: scan.gpt2(begin)
    case .gpt4(let digits): scan.gpt4(begin, digits: digits)
    }
  }
}

/// One text under the patterns.
private struct WordScan {
  let bytes: UnsafeBufferPointer<UInt8>
  let end: Int
  let classes: WordClasses

  private static let word: WordClass = [.letter, .number]
  private static let wordOrSpace: WordClass = [.letter, .number, .space]

  @inline(__always)
  func gpt2(_ begin: Int) -> Int {
    let first = bytes[begin]
    if first == UInt8(ascii: "'"), let end = contraction(begin, ignoringCase: false) { return end }
    let body = first == UInt8(ascii: " ") && begin + 1 < end ? begin + 1 : begin
    let (kind, length) = classes.read(bytes, body)
    if kind.contains(.letter) { return runEnd(body + length, of: .letter) }
    if kind.contains(.number) { return runEnd(body + length, of: .number) }
    if !kind.contains(.space) { return otherEnd(body + length) }
    return spaceEnd(begin)
  }

  @inline(__always)
  func gpt4(_ begin: Int, digits: Int) -> Int {
    let first = bytes[begin]
    if first == UInt8(ascii: "'"), let end = contraction(begin, ignoringCase: true) { return end }
    let (kind, length) = classes.read(bytes, begin)
    var next = begin + length
    if kind.contains(.letter) { return runEnd(next, of: .letter) }
    if kind.contains(.number) {
      for _ in 1..<digits {
        guard next < end, case let (kind, length) = classes.read(bytes, next), kind.contains(.number) else {
          break
        }
        next += length
      }
      return next
    }
    let isLineEnd = first == 0x0A || first == 0x0D
    let following = next < end ? classes.read(bytes, next) : (class: WordClass.space, length: 0)
    if !isLineEnd, following.class.contains(.letter) { return runEnd(next + following.length, of: .letter) }
    if !kind.contains(.space) { return lineEnds(otherEnd(next)) }
    if first == UInt8(ascii: " "), following.class.isDisjoint(with: Self.wordOrSpace) {
      return lineEnds(otherEnd(next + following.length))
    }
    return lastLineEnd(begin) ?? spaceEnd(begin)
  }

  /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d`.
  private func contraction(_ begin: Int, ignoringCase: Bool) -> Int? {
    guard begin + 1 < end else { return nil }
    let fold: UInt8 = ignoringCase ? 0x20 : 0
    switch bytes[begin + 1] | fold {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return begin + 2
    case UInt8(ascii: "r"), UInt8(ascii: "v"):
      return begin + 2 < end && bytes[begin + 2] | fold == UInt8(ascii: "e") ? begin + 3 : nil
    case UInt8(ascii: "l"):
      return begin + 2 < end && bytes[begin + 2] | fold == UInt8(ascii: "l") ? begin + 3 : nil
    // NB: the long s, U+017F, is an s in another case.
    case 0xC5 | fold:
      let isLongS = bytes[begin + 1] == 0xC5 && begin + 2 < end && bytes[begin + 2] == 0xBF
      return ignoringCase && isLongS ? begin + 3 : nil
    default: return nil
    }
  }

  @inline(__always)
  private func runEnd(_ begin: Int, of wanted: WordClass) -> Int {
    var position = begin
    while position < end {
      let (kind, length) = classes.read(bytes, position)
      guard kind.contains(wanted) else { break }
      position += length
    }
    return position
  }

  /// `[^\s\p{L}\p{N}]*`.
  private func otherEnd(_ begin: Int) -> Int {
    var position = begin
    while position < end {
      let (kind, length) = classes.read(bytes, position)
      guard kind.isDisjoint(with: Self.wordOrSpace) else { break }
      position += length
    }
    return position
  }

  /// `[\r\n]*`.
  private func lineEnds(_ begin: Int) -> Int {
    var position = begin
    while position < end, bytes[position] == 0x0A || bytes[position] == 0x0D { position += 1 }
    return position
  }

  /// `\s+(?!\S)|\s+`: white space at the end of the text, else all but its last character, else that one.
  private func spaceEnd(_ begin: Int) -> Int {
    var (position, last) = (begin, begin)
    while position < end {
      let (kind, length) = classes.read(bytes, position)
      guard kind.contains(.space) else { break }
      last = position
      position += length
    }
    return position == end || last == begin ? position : last
  }

  /// `\s*[\r\n]+`: the end of the last line end in the white space.
  private func lastLineEnd(_ begin: Int) -> Int? {
    var position = begin
    var found: Int?
    while position < end {
      let (kind, length) = classes.read(bytes, position)
      guard kind.contains(.space) else { break }
      if bytes[position] == 0x0A || bytes[position] == 0x0D { found = position + 1 }
      position += length
    }
    return found
  }
}
