import PTuneFormats

/// A regular expression of a tokenizer, in the dialect of the `tokenizers` package.
///
/// Finding all matches takes time in proportion to the text, whatever the pattern.
struct RegularExpression: Equatable, Sendable {
  /// The pattern.
  let pattern: String
  private let program: RegexProgram

  /// Compiles a pattern.
  ///
  /// - Throws: ``RegexError`` for what is no regular expression, or not supported.
  init(_ pattern: String) throws(RegexError) {
    self.pattern = pattern
    program = try RegexProgram(try RegexParser.parse(pattern))
  }

  static func == (left: RegularExpression, right: RegularExpression) -> Bool { left.pattern == right.pattern }

  /// Hands over the matches in a text of valid UTF-8, from left to right.
  func matches(_ bytes: UnsafeBufferPointer<UInt8>, _ body: (Range<Int>) -> Void) {
    var steps = 0
    matches(bytes, counting: &steps, body)
  }

  /// The same, counting the steps that it takes.
  func matches(_ bytes: UnsafeBufferPointer<UInt8>, counting steps: inout Int, _ body: (Range<Int>) -> Void) {
    var matcher = RegexMatcher(program, bytes)
    defer { steps = matcher.steps }
    var (position, lastEnd) = (0, -1)
    while position <= bytes.count, let match = matcher.firstMatch(from: position) {
      // An empty match right behind the one before is none.
      if match.isEmpty, match.lowerBound == lastEnd {
        position =
          match.upperBound
          + (match.upperBound < bytes.count ? UTF8Text.scalar(bytes, match.upperBound).length : 1)
        continue
      }
      body(match)
      (position, lastEnd) = (match.upperBound, match.upperBound)
    }
  }
}
