import Testing

@testable import PTuneText

@Suite("Tokens that come one by one") struct IncrementalDecoderTests {
  private static func load(_ name: String) throws -> any Tokenizer {
    try TokenizerLoader.load("\(bpeFixtures)/\(name)")
  }

  /// Texts in several scripts, with blanks, characters of several bytes, and added tokens.
  private static let texts = [
    "Hello, world!  It's 3 o'clock.", " leading and trailing ", "naïve café – Zürich", "日本語のテキスト", "👩‍👩‍👧 and 🇨🇭",
    "مرحبا بالعالم", "e\u{301} \u{FFFD} x", "line\n\n\tnext", "",
  ]

  @Test(
    "their pieces make up the text of all of them, whatever was there before",
    arguments: BPETests.names)
  func pieces(_ name: String) throws {
    let tokenizer = try Self.load(name)
    for text in Self.texts {
      let ids = tokenizer.pieces(text).map(\.id)
      for skips in [true, false] {
        let ids = (tokenizer.specialTokens.beginning.map { [$0] } ?? []) + ids
        for cut in Set([0, 1, ids.count / 2, max(0, ids.count - 1)]).sorted() where cut <= ids.count {
          let context = Array(ids[..<cut])
          var decoder = IncrementalDecoder(tokenizer, after: context, skippingSpecialTokens: skips)
          let before = tokenizer.decode(context, skippingSpecialTokens: skips)
          let pieces = ids[cut...].map { decoder.append($0) } + [decoder.finish()]
          let whole = tokenizer.decode(ids, skippingSpecialTokens: skips)
          // A context that ends within a character has U+FFFD in its place.
          if before.unicodeScalars.last != "\u{FFFD}" || cut == 0 {
            #expect((before + pieces.joined()).utf8.elementsEqual(whole.utf8), "\(name) \(text) \(cut)")
          }
          #expect(pieces.dropLast().allSatisfy { $0.unicodeScalars.last != "\u{FFFD}" })
        }
      }
    }
  }

  @Test("a character whose bytes come one by one appears when it is whole", arguments: ["gpt2", "llama2"])
  func wholeCharacters(_ name: String) throws {
    let tokenizer = try Self.load(name)
    let bytes = name == "gpt2" ? ["ð", "Ł", "ĺ", "Ģ"] : ["<0xF0>", "<0x9F>", "<0x98>", "<0x80>"]
    let ids = try bytes.map { try #require(tokenizer.id($0)) }
    let letter = try #require(tokenizer.id("a"))
    var decoder = IncrementalDecoder(tokenizer)
    let pieces = ids.map { decoder.append($0) } + [decoder.append(letter), decoder.finish()]
    #expect(pieces.joined() == "😀a")
    #expect(pieces.allSatisfy { ["", "😀", "a", "😀a"].contains($0) })
    // One that stays incomplete is U+FFFD at the end, and not before.
    var cut = IncrementalDecoder(tokenizer)
    #expect(ids.dropLast().map { cut.append($0) }.joined() == "")
    #expect(cut.finish() == tokenizer.decode(Array(ids.dropLast())))
  }
}
