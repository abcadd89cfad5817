/// Cuts text into the pieces of a fixed vocabulary, and puts pieces back together.
///
/// A tokenizer holds no state between calls and may be used from any thread. What all tokenizers share (special
/// tokens around the text, truncation) is an extension; an implementation gives the requirements below.
public protocol Tokenizer: Sendable {
  /// One more than the largest id, added tokens included: the rows that an embedding table needs.
  var vocabularySize: Int { get }

  /// The ids that have a special meaning.
  var specialTokens: SpecialTokens { get }

  /// Where special tokens stand around one text or two.
  var template: SequenceTemplate { get }

  /// The pieces of a text, without special tokens around it. Added and special tokens that occur in the text itself
  /// are recognised.
  ///
  /// - Parameter utf8: the text; a byte that is not valid UTF-8 counts as U+FFFD.
  func pieces(utf8: UnsafeBufferPointer<UInt8>) -> [TokenPiece]

  /// The text of one token as it stands in the vocabulary (`##ing`), or nil for an id that is not in it.
  func token(_ id: Int32) -> String?

  /// The id of a token as it stands in the vocabulary, or nil.
  func id(_ token: String) -> Int32?

  /// The text that the ids stand for; ids out of range are passed over.
  func decode(_ ids: some Sequence<Int32>, skippingSpecialTokens: Bool) -> String
}

/// One piece of a text.
public struct TokenPiece: Equatable, Sendable {
  /// Place in the vocabulary.
  public let id: Int32
  /// First byte of the piece in the UTF-8 text as it was given, before any normalization.
  public let begin: Int32
  /// One past the last byte.
  public let end: Int32

  /// A piece and the bytes it came from.
  public init(id: Int32, begin: Int32, end: Int32) {
    (self.id, self.begin, self.end) = (id, begin, end)
  }
}

/// The ids with a special meaning, where a tokenizer has them.
public struct SpecialTokens: Equatable, Sendable {
  /// What stands for the whole text in front of it (`[CLS]`).
  public var classification: Int32?
  /// What ends a text or separates two (`[SEP]`).
  public var separator: Int32?
  /// What fills unused places (`[PAD]`).
  public var padding: Int32?
  /// What stands for a word to be guessed (`[MASK]`).
  public var mask: Int32?
  /// What stands for a word that the vocabulary cannot spell (`[UNK]`).
  public var unknown: Int32?
  /// What begins a text in a generating model.
  public var beginning: Int32?
  /// What ends a text in a generating model.
  public var end: Int32?

  /// No special tokens; set those there are.
  public init() {}
}

extension Tokenizer {
  /// The pieces of a text, without special tokens around it.
  public func pieces(_ text: String) -> [TokenPiece] {
    var text = text
    return text.withUTF8 { pieces(utf8: $0) }
  }

  /// A text, or two, as the model reads it: cut to length, with special tokens around it.
  ///
  /// A single text is cut at its end. Of two, the longer is cut first.
  /// - Parameter maximumLength: the positions that are free, special tokens included; whoever puts virtual tokens
  ///   into the input subtracts them first. Nil cuts nothing.
  /// - Throws: `TextError.noRoomForText` when special tokens leave no position for text.
  public func encode(
    _ text: String, pair: String? = nil, maximumLength: Int? = nil
  ) throws(TextError) -> Encoding {
    try encode(pieces: pieces(text), pair: pair.map { pieces($0) }, maximumLength: maximumLength)
  }

  /// The same for texts that are already cut into pieces.
  ///
  /// - Throws: `TextError.noRoomForText` when special tokens leave no position for text.
  public func encode(
    pieces first: [TokenPiece], pair second: [TokenPiece]? = nil, maximumLength: Int? = nil
  ) throws(TextError) -> Encoding {
    let added = template.specialCount(pair: second != nil)
    var kept = (first.count, second?.count ?? 0)
    if let maximumLength {
      guard maximumLength > added else {
        throw .noRoomForText(maximumLength: maximumLength, specialTokens: added)
      }
      kept = Truncation.longestFirst(kept.0, second?.count, room: maximumLength - added)
    }
    return Encoding(
      first: first.prefix(kept.0), second: second?.prefix(kept.1), template: template,
      dropped: first.count - kept.0 + (second?.count ?? 0) - kept.1)
  }

  /// The text that the ids stand for, special tokens left out.
  public func decode(_ ids: some Sequence<Int32>) -> String { decode(ids, skippingSpecialTokens: true) }
}
