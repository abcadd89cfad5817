/// One example as ids, in the model's order: special tokens, text, perhaps a second text. All arrays have one
/// element a position.
public struct Encoding: Equatable, Sendable {
  /// Ids.
  public private(set) var ids: [Int32] = []
  /// Token types: 0 for the first text, 1 for the second.
  public private(set) var types: [Int32] = []
  /// First byte of the piece in its text; 0 for special tokens.
  public private(set) var begins: [Int32] = []
  /// One past the last byte of the piece in its text; 0 for special tokens.
  public private(set) var ends: [Int32] = []
  /// Which text the piece came from: 0, 1, the number of a template's field, or `Encoding.special`.
  public private(set) var sources: [Int8] = []
  /// In front of which position each virtual token of a template stands, in order.
  public private(set) var marks: [Int32] = []
  /// How many pieces did not fit.
  public let dropped: Int

  /// The source of a special token that the tokenizer put there.
  public static let special: Int8 = -1

  /// Number of positions.
  public var count: Int { ids.count }

  /// Lays out pieces as `template` says.
  init(
    first: ArraySlice<TokenPiece>, second: ArraySlice<TokenPiece>?, template: SequenceTemplate, dropped: Int
  ) {
    self.dropped = dropped
    for part in second == nil ? template.single : template.pair {
      switch part {
      case .special(let id, let type): append(TokenPiece(id: id, begin: 0, end: 0), type, Self.special)
      case .text(let source, let type):
        for piece in (source == 0 ? first : second) ?? [] { append(piece, type, Int8(source)) }
      }
    }
  }

  /// Lays out a conversation: what the assistant says comes from text 1.
  init(chat: [(piece: TokenPiece, isAnswer: Bool)], dropped: Int) {
    self.dropped = dropped
    for (piece, isAnswer) in chat { append(piece, 0, isAnswer ? 1 : 0) }
  }

  /// Lays out the pieces of a row in a text template, of which so many stay at each place of a field.
  init(_ text: TemplatedText, room: [Int], virtualTokens: Int, template: SequenceTemplate) {
    dropped = text.counts.reduce(0, +) - room.reduce(0, +)
    for part in template.single {
      switch part {
      case .special(let id, let type): append(TokenPiece(id: id, begin: 0, end: 0), type, Self.special)
      case .text(_, let type): append(text, room, virtualTokens, type)
      }
    }
  }

  private mutating func append(_ text: TemplatedText, _ room: [Int], _ virtualTokens: Int, _ type: Int32) {
    var room = room
    var next = text.marks[...]
    func mark(before piece: Int) {
      while let first = next.first, first.piece <= piece {
        marks += Array(repeating: Int32(ids.count), count: first.count ?? virtualTokens)
        next.removeFirst()
      }
    }
    for (index, piece) in text.pieces.enumerated() {
      mark(before: index)
      if let place = piece.place {
        if room[place] == 0 { continue }
        room[place] -= 1
      }
      append(piece.piece, type, piece.source)
    }
    mark(before: text.pieces.count)
  }

  private mutating func append(_ piece: TokenPiece, _ type: Int32, _ source: Int8) {
    ids.append(piece.id)
    types.append(type)
    begins.append(piece.begin)
    ends.append(piece.end)
    sources.append(source)
  }
}

/// Where special tokens stand around one text or two.
public struct SequenceTemplate: Equatable, Sendable {
  /// One element of a template.
  public enum Part: Equatable, Sendable {
    /// A special token and its token type.
    case special(id: Int32, type: Int32)
    /// The first (0) or second (1) text and its token type.
    case text(source: Int, type: Int32)
  }

  /// For one text.
  public let single: [Part]
  /// For two texts.
  public let pair: [Part]

  /// A template for one text and one for two.
  public init(single: [Part], pair: [Part]) { (self.single, self.pair) = (single, pair) }

  /// No special tokens; a second text has token type 1.
  public static let plain = SequenceTemplate(
    single: [.text(source: 0, type: 0)], pair: [.text(source: 0, type: 0), .text(source: 1, type: 1)])

  /// `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, token type 1 from B on.
  public static func bert(classification: Int32, separator: Int32) -> SequenceTemplate {
    let single: [Part] = [
      .special(id: classification, type: 0), .text(source: 0, type: 0), .special(id: separator, type: 0),
    ]
    return SequenceTemplate(
      single: single, pair: single + [.text(source: 1, type: 1), .special(id: separator, type: 1)])
  }

  /// How many positions special tokens take.
  public func specialCount(pair isPair: Bool) -> Int {
    (isPair ? pair : single).reduce(0) { count, part in
      if case .special = part { count + 1 } else { count }
    }
  }
}

/// How many pieces of each text stay when both do not fit.
enum Truncation {
  /// The longer text is cut first, then both alike; the first gets the smaller half, as in Hugging Face's
  /// `longest_first` (the second does when the first is the longer).
  static func longestFirst(_ first: Int, _ second: Int?, room: Int) -> (Int, Int) {
    guard let second else { return (Swift.min(first, room), 0) }
    guard first + second > room else { return (first, second) }
    var (short, long) = (Swift.min(first, second), Swift.max(first, second))
    long = short > room ? short : Swift.max(short, room - short)
    if short + long > room {
      short = room / 2
      long = short + room % 2
    }
    return first > second ? (long, short) : (short, long)
  }
}
