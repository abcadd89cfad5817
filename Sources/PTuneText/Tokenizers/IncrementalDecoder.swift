/// The text of tokens that come one by one, as `decode` of all of them would give it.
///
/// Text is given out once no later token can change it: a character whose bytes are spread over several tokens comes
/// as a whole, and what a token means behind others (the blank that a first token loses) is kept. Each token is decoded
/// together with those before it that text was last given out for.
public struct IncrementalDecoder {
  private let tokenizer: any Tokenizer
  private let skipsSpecialTokens: Bool
  /// The tokens whose text is partly given out.
  private var window: [Int32]
  /// How many of them, and their text alone.
  private var done: Int
  private var doneText: [Unicode.Scalar]

  /// How many tokens of a text before are enough to tell what the next ones mean.
  private static let contextSize = 16

  /// - Parameter context: tokens of the text that is gone on with; their own text is not given out.
  public init(_ tokenizer: any Tokenizer, after context: [Int32] = [], skippingSpecialTokens: Bool = true) {
    self.tokenizer = tokenizer
    skipsSpecialTokens = skippingSpecialTokens
    window = Array(context.suffix(Self.contextSize))
    done = window.count
    doneText = Array(
      tokenizer.decode(window, skippingSpecialTokens: skippingSpecialTokens).unicodeScalars)
  }

  /// Appends a token: the text that is certain now.
  public mutating func append(_ id: Int32) -> String {
    window.append(id)
    // A run of bytes is text or malformed as a whole.
    guard !isByte(id) else { return "" }
    let text = Array(decoded(window).unicodeScalars)
    // An incomplete character decodes to U+FFFD.
    guard text.last != "\u{FFFD}" else { return "" }
    let new = rest(of: text)
    if new.isEmpty { return "" }
    window.removeFirst(done)
    done = window.count
    doneText = Array(decoded(window).unicodeScalars)
    return string(new)
  }

  /// What is left at the end of the text: characters that stayed incomplete become U+FFFD.
  public mutating func finish() -> String {
    let new = rest(of: Array(decoded(window).unicodeScalars))
    window = []
    (done, doneText) = (0, [])
    return string(new)
  }

  private func decoded(_ ids: [Int32]) -> String {
    tokenizer.decode(ids, skippingSpecialTokens: skipsSpecialTokens)
  }

  /// What follows the text that was given out. A context that ended within a character has another end now.
  private func rest(of text: [Unicode.Scalar]) -> ArraySlice<Unicode.Scalar> {
    let common = zip(text, doneText).prefix { $0 == $1 }.count
    return text.dropFirst(common)
  }

  private func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  /// Whether a token is a byte of a tokenizer that falls back to bytes: `<0x0A>`.
  private func isByte(_ id: Int32) -> Bool {
    guard let token = tokenizer.token(id), token.utf8.count == 6 else { return false }
    return token.hasPrefix("<0x") && token.hasSuffix(">")
  }
}
