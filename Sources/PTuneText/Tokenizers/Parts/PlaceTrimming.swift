import PTuneFormats

/// Takes spaces at both ends of a piece out of its place, as `trim_offsets` asks for.
struct PlaceTrimming: Sendable {
  /// The first piece keeps one leading space, as that may have been put there.
  let keepsFirst: Bool
  /// Leading and trailing spaces of each token; nil for added tokens, where the text itself says.
  private let spaces: [(leading: UInt8, trailing: UInt8)?]

  /// Looks at the tokens of a vocabulary, of which `added` are looked for in the text.
  init(keepsFirst: Bool, count: Int, added: AddedTokens, token: (Int32) -> String?) {
    self.keepsFirst = keepsFirst
    spaces = (0..<Int32(count)).map { id in
      if added[id] != nil { return nil }
      let scalars = (token(id) ?? "").unicodeScalars
      return (
        UInt8(clamping: scalars.prefix(while: Self.isSpace).count),
        UInt8(clamping: scalars.reversed().prefix(while: Self.isSpace).count)
      )
    }
  }

  /// White space, or what stands for a space in GPT-2's alphabet.
  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value == 0x120 || CharacterClasses.shared.flags(scalar.value).contains(.whitespace)
  }

  /// Trims the places of a text's pieces.
  func trim(_ pieces: inout [TokenPiece], _ text: UnsafeBufferPointer<UInt8>) {
    for (index, piece) in pieces.enumerated() {
      var (leading, trailing) =
        spaces[Int(piece.id)].map { (Int($0.leading), Int($0.trailing)) } ?? spaces(piece, text)
      if leading == 0, trailing == 0 { continue }
      if keepsFirst, leading == 1, index == 0 || piece.begin == 0 { leading = 0 }
      var (begin, end) = (Int(piece.begin), Int(piece.end))
      while leading > 0, begin < end {
        begin += UTF8Text.scalar(text, begin).length
        leading -= 1
      }
      while trailing > 0, end > begin {
        repeat { end -= 1 } while end > begin && text[end] & 0xC0 == 0x80
        trailing -= 1
      }
      pieces[index] = TokenPiece(id: piece.id, begin: Int32(begin), end: Int32(end))
    }
  }

  /// White space at both ends of an added token, which may have been taken along.
  private func spaces(_ piece: TokenPiece, _ text: UnsafeBufferPointer<UInt8>) -> (Int, Int) {
    let found = String(
      decoding: UnsafeBufferPointer(rebasing: text[Int(piece.begin)..<Int(piece.end)]), as: UTF8.self)
    let scalars = found.unicodeScalars
    return (scalars.prefix(while: Self.isSpace).count, scalars.reversed().prefix(while: Self.isSpace).count)
  }
}
