/// How `Split` of `tokenizer.json` cuts a text: at the matches of a pattern.
struct PatternSplit: Equatable, Sendable {
  /// What becomes of the matches.
  enum Behavior: String, CaseIterable, Sendable {
    /// They go.
    case removed = "Removed"
    /// Each is a word.
    case isolated = "Isolated"
    /// Each belongs to the word before it.
    case mergedWithPrevious = "MergedWithPrevious"
    /// Each belongs to the word behind it.
    case mergedWithNext = "MergedWithNext"
    /// Those that touch are one word.
    case contiguous = "Contiguous"
  }

  let pattern: TextPattern
  let behavior: Behavior
  /// Whether what lies between the matches counts as the matches, and they as what lies between.
  let isInverted: Bool

  private struct Piece {
    var range: Range<Int>
    var isMatch: Bool
  }

  /// The words of `range`, from left to right.
  func words(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> [Range<Int>] {
    var pieces: [Piece] = []
    var position = 0
    func append(_ range: Range<Int>, isMatch: Bool) {
      if !range.isEmpty { pieces.append(Piece(range: range, isMatch: isMatch != isInverted)) }
    }
    pattern.matches(UnsafeBufferPointer(rebasing: bytes[range])) { match in
      append(position..<match.lowerBound, isMatch: false)
      append(match, isMatch: true)
      position = match.upperBound
    }
    append(position..<range.count, isMatch: false)
    return joined(pieces).map { $0.lowerBound + range.lowerBound..<$0.upperBound + range.lowerBound }
  }

  private func joined(_ pieces: [Piece]) -> [Range<Int>] {
    switch behavior {
    case .isolated: return pieces.map(\.range)
    case .removed: return pieces.filter { !$0.isMatch }.map(\.range)
    case .contiguous: return merged(pieces) { $0.isMatch == $1.isMatch }
    // NB: of matches that touch only the first is merged.
    case .mergedWithPrevious: return merged(pieces) { !$0.isMatch && $1.isMatch }
    case .mergedWithNext:
      var words: [Range<Int>] = []
      var next: Piece?
      for piece in pieces.reversed() {
        if piece.isMatch, let following = next, !following.isMatch, let last = words.last {
          words[words.count - 1] = piece.range.lowerBound..<last.upperBound
        } else {
          words.append(piece.range)
        }
        next = piece
      }
      return words.reversed()
    }
  }

  /// Joins each piece to the word before it where `belongs` says so of the piece before and this one.
  private func merged(_ pieces: [Piece], _ belongs: (Piece, Piece) -> Bool) -> [Range<Int>] {
    var words: [Range<Int>] = []
    for (index, piece) in pieces.enumerated() {
      if index > 0, belongs(pieces[index - 1], piece), let last = words.last {
        words[words.count - 1] = last.lowerBound..<piece.range.upperBound
      } else {
        words.append(piece.range)
      }
    }
    return words
  }
}

/// What a part of `tokenizer.json` looks for: a text, or whatever matches a regular expression.
enum TextPattern: Equatable, Sendable {
  /// A text that is not empty.
  case text([UInt8])
  case expression(RegularExpression)

  /// Reads `{"String": …}` or `{"Regex": …}`.
  ///
  /// - Throws: `TextError.invalidValue` for an expression that cannot be read, with its place in it.
  init(_ node: JSONNode) throws(TextError) {
    guard let expression = node["Regex"] else {
      self = .text(try node.member("String").nonemptyBytes())
      return
    }
    let pattern = try expression.string()
    do throws(RegexError) {
      self = .expression(try RegularExpression(pattern))
    } catch {
      throw expression.invalid("a regular expression; this one \(error.reason), character \(error.column)")
    }
  }

  /// How many bytes a match has at least, an empty one as if it took one.
  var leastLength: Int {
    if case .text(let text) = self { text.count } else { 1 }
  }

  /// Hands over the matches, from left to right.
  func matches(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    switch self {
    case .expression(let expression): expression.matches(bytes, body)
    case .text(let text):
      var position = 0
      while position + text.count <= bytes.count {
        if bytes[position] == text[0], bytes[position...].starts(with: text) {
          body(position..<position + text.count)
          position += text.count
        } else {
          position += 1
        }
      }
    }
  }
}
