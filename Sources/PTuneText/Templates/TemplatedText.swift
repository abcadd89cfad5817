/// A row put into a template and cut into pieces, before it is known how many positions are free.
public struct TemplatedText: Sendable {
  struct Piece {
    let piece: TokenPiece
    /// The number of its field; ``Encoding/special`` for the template's own words.
    let source: Int8
    /// Which of the fields' places it stands in: what can be cut; nil for the template's own words.
    let place: Int?
  }

  let pieces: [Piece]
  /// How many pieces each place of a field has.
  let counts: [Int]
  /// In front of which piece virtual tokens stand, and how many; nil for all.
  let marks: [(piece: Int, count: Int?)]

  /// The ids of the fields' pieces.
  public var fieldIDs: [Int32] { pieces.lazy.filter { $0.place != nil }.map(\.piece.id) }
}

extension Tokenizer {
  /// Puts the fields of a row into a template and cuts the whole into pieces, so that words at the seams join as in
  /// any text.
  ///
  /// A piece that reaches over a place of virtual tokens stands in front of it.
  ///
  /// - Parameter field: the text of a field.
  /// - Throws: ``TemplateError`` where the tokenizer lacks a token, or a text holds the mask itself; what `field`
  ///   throws.
  public func pieces(_ template: TextTemplate, field: (String) throws -> String) throws -> TemplatedText {
    var text: [UInt8] = []
    var masks: [Range<Int>] = []
    var fields: [(bytes: Range<Int>, number: Int)] = []
    var places: [(byte: Int, count: Int?)] = []
    for part in template.parts {
      let begin = text.count
      switch part {
      case .literal(let words): text += words.utf8
      case .mask:
        text += try special(\.mask, "mask").utf8
        masks.append(begin..<text.count)
      case .separator: text += try special(\.separator, "separator").utf8
      case .virtual(let count): places.append((begin, count))
      case .field(let name):
        text += try field(name).utf8
        fields.append((begin..<text.count, template.fields.firstIndex(of: name) ?? 0))
      }
    }
    let pieces = text.withUnsafeBufferPointer { self.pieces(utf8: $0) }
    if template.hasMask { try check(masks, pieces) }
    var counts = fields.map { _ in 0 }
    let located = pieces.map { piece in
      guard let place = fields.firstIndex(where: { $0.bytes.meets(piece) }) else {
        return TemplatedText.Piece(
          piece: TokenPiece(id: piece.id, begin: 0, end: 0), source: Encoding.special, place: nil)
      }
      counts[place] += 1
      let (bytes, number) = fields[place]
      return TemplatedText.Piece(
        piece: piece.within(bytes), source: Int8(clamping: number), place: place)
    }
    let marks = places.map { place in
      (piece: pieces.firstIndex { Int($0.begin) >= place.byte } ?? pieces.count, count: place.count)
    }
    return TemplatedText(pieces: located, counts: counts, marks: marks)
  }

  private func special(
    _ kind: KeyPath<SpecialTokens, Int32?>, _ name: String
  ) throws(TemplateError) -> String {
    if let text = specialTokens[keyPath: kind].flatMap({ token($0) }) { return text }
    throw TemplateError(
      reason: "the template has {\(name)}, but the tokenizer has no \(name) token", column: nil)
  }

  /// Each mask of the template has become the mask token, and no other text has.
  private func check(_ masks: [Range<Int>], _ pieces: [TokenPiece]) throws(TemplateError) {
    let found = pieces.filter { $0.id == specialTokens.mask }
    for mask in masks where !found.contains(where: { mask.meets($0) }) {
      throw TemplateError(reason: "{mask} touches a word in the template; put a space between", column: nil)
    }
    guard found.count == masks.count else {
      let name = specialTokens.mask.flatMap { token($0) } ?? ""
      throw TemplateError(
        reason: "the row's own text contains the mask token '\(name)'; remove it", column: nil)
    }
  }

  /// The ids of a word in the place of the template's first mask: begun with a space where one stands there.
  public func ids(of word: String, atMaskOf template: TextTemplate) -> [Int32] {
    guard let mask = template.parts.firstIndex(of: .mask) else { return [] }
    let before = if mask > 0, case .literal(let text) = template.parts[mask - 1] { text } else { "" }
    // The blank in front belongs to the word, also where it is a piece of its own.
    let begin = before.trimmingBlanksAtEnd.utf8.count
    return pieces(before + word).filter { begin == 0 || Int($0.end) > begin }.map(\.id)
  }

  /// A row as the model reads it: only its fields' texts are cut to length, the longest first and at their ends, with
  /// special tokens around the whole.
  ///
  /// - Parameters:
  ///   - virtualTokens: how many virtual tokens the adapter has.
  ///   - maximumLength: the positions that are free for tokens, special ones included; nil cuts nothing.
  /// - Throws: `TextError.noRoomForTemplate` when the template's own words leave no position for text.
  public func encode(
    _ text: TemplatedText, virtualTokens: Int, maximumLength: Int? = nil
  ) throws(TextError) -> Encoding {
    let own = template.specialCount(pair: false) + text.pieces.count - text.counts.reduce(0, +)
    var room = text.counts
    if let maximumLength {
      guard maximumLength > own || maximumLength == own && text.counts.allSatisfy({ $0 == 0 }) else {
        throw .noRoomForTemplate(maximumLength: maximumLength, own: own)
      }
      room = Truncation.longestFirst(text.counts, room: maximumLength - own)
    }
    return Encoding(text, room: room, virtualTokens: virtualTokens, template: template)
  }
}

extension Range<Int> {
  /// Whether a piece has bytes in here; an empty one, whether it stands here.
  fileprivate func meets(_ piece: TokenPiece) -> Bool {
    piece.begin == piece.end
      ? contains(Int(piece.begin)) : overlaps(Int(piece.begin)..<Int(piece.end))
  }
}

extension TokenPiece {
  /// The part of it in a field, seen from the field's first byte.
  fileprivate func within(_ bytes: Range<Int>) -> TokenPiece {
    TokenPiece(
      id: id, begin: Int32(Swift.max(Int(begin), bytes.lowerBound) - bytes.lowerBound),
      end: Int32(Swift.min(Int(end), bytes.upperBound) - bytes.lowerBound))
  }
}

extension Truncation {
  /// How many pieces of each text stay when not all fit: the longest are cut first, to one length; what is left over
  /// goes to the later ones.
  static func longestFirst(_ counts: [Int], room: Int) -> [Int] {
    guard counts.reduce(0, +) > room else { return counts }
    var (left, cut) = (room, counts.count)
    // From the shortest up: each that is within an even share stays whole.
    for count in counts.sorted() {
      if count * cut > left { break }
      left -= count
      cut -= 1
    }
    let (share, rest) = left.quotientAndRemainder(dividingBy: cut)
    var longer = rest
    return counts.reversed().map { count in
      guard count > share else { return count }
      defer { if longer > 0 { longer -= 1 } }
      return share + (longer > 0 ? 1 : 0)
    }.reversed()
  }
}
