import Testing

@testable import PTuneText

@Suite("Text templates") struct TextTemplateTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    let template: String
    let column: Int
    let reason: String
    var testDescription: String { template }
  }

  @Test(
    "a template that cannot be read says where and why",
    arguments: [
      Refusal(
        template: "{text} {mask", column: 8,
        reason: "'{' is not closed; a brace of the text itself is written '{{'"),
      Refusal(
        template: "{text {mask}}", column: 1,
        reason: "'{' is not closed; a brace of the text itself is written '{{'"),
      Refusal(
        template: "{text} a} b", column: 9,
        reason: "'}' closes nothing; a brace of the text itself is written '}}'"),
      Refusal(
        template: "a {} {text}", column: 3,
        reason: "between braces, write the name of a column, or prompt, mask or separator"),
      Refusal(
        template: "{ text}", column: 1,
        reason: "between braces, write the name of a column, or prompt, mask or separator"),
      Refusal(
        template: "é{promt:3} {text}", column: 2, reason: "only {prompt:N} takes a number, not 'promt'"),
      Refusal(
        template: "{prompt:0} {text}", column: 1,
        reason: "'0' is not a number of virtual tokens from 1 to 4096"),
      Refusal(
        template: "{text} {5000}", column: 8,
        reason: "'5000' is not a number of virtual tokens from 1 to 4096"),
      Refusal(
        template: "{prompt} {text} {prompt:3}", column: 17,
        reason: "{prompt} means all virtual tokens, so there can be no other place for them"),
      Refusal(
        template: "{prompt} It was {mask}.", column: 1,
        reason: "there is no field of the row in it, such as {text}"),
      Refusal(
        template: "", column: 1, reason: "there is no field of the row in it, such as {text}"),
    ])
  func refusals(_ refusal: Refusal) {
    let error = #expect(throws: TemplateError.self) { try TextTemplate(refusal.template) }
    #expect(error == TemplateError(reason: refusal.reason, column: refusal.column))
  }

  @Test(
    "a blank beside a place of virtual tokens stands behind it, and never twice",
    arguments: [
      ("{prompt:3} {text} {3} It was {mask}.", "<3>{text}<3> It was [M]."),
      ("{prompt:1} {prompt:2} {text}", "<1><2>{text}"), ("{text} {1} {2} {mask}", "{text}<1><2> [M]"),
      ("a {1}b {text}", "a<1> b {text}"), ("a{1} b {text}", "a<1> b {text}"),
      ("a{1}b {text}", "a<1>b {text}"),
      ("{text} {prompt}", "{text}<all>"), ("{text} {1}{mask} {2}", "{text}<1> [M]<2>"),
      ("{{{text}}} {separator} {my column}", "{{text}} [S] {my column}"), (" {1} {text}", "<1>{text}"),
    ])
  func blanks(_ template: String, _ expected: String) throws {
    let picture = try TextTemplate(template).parts.map { part in
      switch part {
      case .literal(let text): text
      case .field(let name): "{\(name)}"
      case .mask: "[M]"
      case .separator: "[S]"
      case .virtual(let count): "<\(count.map { "\($0)" } ?? "all")>"
      }
    }
    #expect(picture.joined() == expected)
  }

  @Test("places are counted, and fields numbered")
  func facts() throws {
    #expect(try TextTemplate("{prompt:3} {text} {4}").virtualTokens == 7)
    #expect(try TextTemplate("{text}").virtualTokens == 0)
    #expect(try TextTemplate("{text} {prompt}").virtualTokens == nil)
    #expect(try TextTemplate("{b} {text_pair} {a} {b}").fields == ["text", "text_pair", "b", "a"])
  }

  private static let wordPiece = "\(fixtures)/uncased"
  private static let roberta = "\(bpeFixtures)/roberta"

  /// Pieces as they are in the vocabulary, `|` where a virtual token stands, and behind each piece its field.
  private func picture(_ encoding: Encoding, _ tokenizer: any Tokenizer) -> String {
    var result: [String] = []
    for index in 0...encoding.count {
      result += encoding.marks.filter { $0 == index }.map { _ in "|" }
      guard index < encoding.count else { break }
      let source = encoding.sources[index]
      result.append((tokenizer.token(encoding.ids[index]) ?? "?") + (source < 0 ? "" : "/\(source)"))
    }
    return result.joined(separator: " ")
  }

  private func encode(
    _ template: String, _ folder: String, _ fields: [String: String], virtual: Int = 2, limit: Int? = nil
  ) throws -> (Encoding, any Tokenizer) {
    let tokenizer = try TokenizerLoader.load(folder)
    let text = try tokenizer.pieces(TextTemplate(template)) { fields[$0] ?? "" }
    return (try tokenizer.encode(text, virtualTokens: virtual, maximumLength: limit), tokenizer)
  }

  @Test("word pieces: the special tokens surround the whole, and marks and mask stand where they are written")
  func wordPieces() throws {
    let (encoding, tokenizer) = try encode(
      "{prompt:1} {text} {prompt:2} It is {mask}.", Self.wordPiece, ["text": "the it"], virtual: 3)
    #expect(picture(encoding, tokenizer) == "[CLS] | the/0 it/0 | | it is [MASK] . [SEP]")
    #expect(encoding.marks == [1, 3, 3])
    #expect(encoding.types.allSatisfy { $0 == 0 })
  }

  @Test("byte-level pieces keep the blank of the words that follow a field, a mark and a mask")
  func byteLevel() throws {
    let (encoding, tokenizer) = try encode(
      "{text} {prompt} It was {mask} at {text_pair}", Self.roberta,
      ["text": "a film", "text_pair": "the end"])
    let expected = try tokenizer.encode("a film It was<mask> at the end")
    #expect(encoding.ids == expected.ids)
    let joined = picture(encoding, tokenizer)
    #expect(joined.contains("m/0 | | ĠI t Ġ w as <mask> Ġa t"))
    // Places are seen from each field's own first byte.
    for (field, text) in ["a film", "the end"].enumerated() {
      let ends = encoding.ends.indices.filter { encoding.sources[$0] == field }.map { encoding.ends[$0] }
      #expect(ends.max() == Int32(text.utf8.count))
      let begins = encoding.begins.indices.filter { encoding.sources[$0] == field }.map {
        encoding.begins[$0]
      }
      #expect(begins.min() == 0)
    }
  }

  @Test("a template without places for anything but its text is that text", arguments: [wordPiece, roberta])
  func plain(_ folder: String) throws {
    let text = "The film, as they say: a déjà vu  of 2,000 things!"
    let (encoding, tokenizer) = try encode("{text}", folder, ["text": text])
    let expected = try tokenizer.encode(text)
    #expect(encoding.ids == expected.ids)
    #expect(encoding.sources == expected.sources)
    #expect(encoding.begins == expected.begins)
    #expect(encoding.ends == expected.ends)
  }

  @Test(
    "only fields are cut, the longest first, at their ends",
    arguments: [
      (12, "[CLS] | the/0 the/0 the/0 the/0 | is it/1 it/1 [MASK] . [SEP]"),
      (10, "[CLS] | the/0 the/0 the/0 | is it/1 it/1 [MASK] . [SEP]"),
      (9, "[CLS] | the/0 the/0 | is it/1 it/1 [MASK] . [SEP]"),
      (8, "[CLS] | the/0 | is it/1 it/1 [MASK] . [SEP]"),
      (6, "[CLS] | | is it/1 [MASK] . [SEP]"),
    ])
  func truncation(_ limit: Int, _ expected: String) throws {
    let (encoding, tokenizer) = try encode(
      "{1} {text} {1} is {text_pair} {mask}.", Self.wordPiece,
      ["text": "the the the the", "text_pair": "it it"], limit: limit)
    #expect(picture(encoding, tokenizer) == expected)
    #expect(encoding.dropped == max(0, 11 - limit))
  }

  @Test("a template that leaves no room for text is an error, unless there is none")
  func noRoom() throws {
    let error = #expect(throws: TextError.self) {
      try encode("{text} is {mask}.", Self.wordPiece, ["text": "the"], limit: 5)
    }
    #expect(error == .noRoomForTemplate(maximumLength: 5, own: 5))
    #expect(try encode("{text} is {mask}.", Self.wordPiece, ["text": ""], limit: 5).0.count == 5)
  }

  @Test(
    "of several texts the longest are cut to one length",
    arguments: [
      ([5, 3, 9], 17, [5, 3, 9]), ([5, 3, 9], 16, [5, 3, 8]), ([5, 3, 9], 12, [4, 3, 5]),
      ([5, 3, 9], 7, [2, 2, 3]), ([5, 0, 9], 0, [0, 0, 0]), ([4], 2, [2]), ([], 3, []), ([2, 2], 3, [1, 2]),
    ])
  func longestFirst(_ counts: [Int], _ room: Int, _ expected: [Int]) {
    #expect(Truncation.longestFirst(counts, room: room) == expected)
  }

  @Test("a row that holds the mask itself, and a mask that touches a word, are refused")
  func masks() throws {
    func reason(_ template: String, _ text: String) -> String? {
      #expect(throws: TemplateError.self) { try encode(template, Self.wordPiece, ["text": text]) }?.reason
    }
    #expect(
      reason("{text} is {mask}.", "the [MASK]")
        == "the row's own text contains the mask token '[MASK]'; remove it")
  }

  @Test(
    "a word at the mask begins with a space where the template or the tokenizer puts one there",
    arguments: [
      ("{text} It was {mask}.", "Ġend"), ("{text} ({mask})", "end"), ("{mask} {text}", "Ġend"),
      ("{text} {mask}", "Ġend"), ("{prompt:2} {mask} {text}", "Ġend"), ("{text} was {1} {mask}", "Ġend"),
    ])
  func words(_ template: String, _ expected: String) throws {
    let tokenizer = try TokenizerLoader.load(Self.roberta)
    let ids = tokenizer.ids(of: "end", atMaskOf: try TextTemplate(template))
    #expect(ids.compactMap { tokenizer.token($0) }.joined() == expected, "\(ids)")
  }
}
