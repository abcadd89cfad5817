/// One of two texts that a model reads together.
public enum TextSide: Sendable {
  /// The first one.
  case first
  /// The second one.
  case second
}

extension Tokenizer {
  /// Texts that are already cut into pieces, of which only one is shortened where they do not fit, at its end.
  ///
  /// - Throws: `TextError.noRoomForText` when the other one leaves it no piece.
  public func encode(
    pieces first: [TokenPiece], pair second: [TokenPiece]?, cutting text: TextSide, maximumLength: Int
  ) throws(TextError) -> Encoding {
    let added = template.specialCount(pair: second != nil)
    let beside = added + (text == .first ? second?.count ?? 0 : first.count)
    guard maximumLength > beside else {
      throw .noRoomForText(maximumLength: maximumLength, specialTokens: beside)
    }
    let room = maximumLength - beside
    let (keptFirst, keptSecond) = (
      text == .first ? first.prefix(room) : first[...], text == .second ? second?.prefix(room) : second?[...]
    )
    return Encoding(
      first: keptFirst, second: keptSecond, template: template,
      dropped: first.count - keptFirst.count + (second?.count ?? 0) - (keptSecond?.count ?? 0))
  }

  /// Windows over one of two texts, each with the whole other text. All but the last are full; a window begins with
  /// the last `overlap` pieces of the one before it, so that together they hold every piece.
  ///
  /// This is `return_overflowing_tokens` with `stride` of Hugging Face's tokenizers.
  /// - Throws: `TextError.noRoomForWindow` when a window would hold no more than the overlap.
  public func windows(
    pieces first: [TokenPiece], pair second: [TokenPiece]?, over text: TextSide, overlap: Int,
    maximumLength: Int
  ) throws(TextError) -> [Encoding] {
    let (windowed, beside) = text == .first ? (first, second ?? []) : (second ?? [], first)
    let taken = template.specialCount(pair: second != nil) + beside.count
    let room = maximumLength - taken
    guard windowed.count > room else {
      return [Encoding(first: first[...], second: second?[...], template: template, dropped: 0)]
    }
    guard room > overlap else {
      throw .noRoomForWindow(maximumLength: maximumLength, beside: taken, overlap: overlap)
    }
    var encodings: [Encoding] = []
    var begin = 0
    while true {
      let end = min(begin + room, windowed.count)
      let window = windowed[begin..<end]
      encodings.append(
        Encoding(
          first: text == .first ? window : first[...], second: text == .first ? second?[...] : window,
          template: template, dropped: 0))
      if end == windowed.count { return encodings }
      begin += room - overlap
    }
  }
}
