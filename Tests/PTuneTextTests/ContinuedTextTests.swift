import Testing

@testable import PTuneText

@Suite("Continued text") struct ContinuedTextTests {
  private static let end: Int32 = 2

  /// Ids of three tokens of text and, perhaps, two that follow, in so many positions. Llama 2 begins a text with 1.
  private func ids(_ length: Int?, pair: Bool) throws -> (ids: [Int32], sources: [Int8], dropped: Int) {
    let tokenizer = try TokenizerLoader.load("\(bpeFixtures)/llama2")
    func pieces(_ ids: [Int32]) -> [TokenPiece] { ids.map { TokenPiece(id: $0, begin: 0, end: 1) } }
    let encoding = try tokenizer.encode(
      continuing: pieces([10, 11, 12]), with: pair ? pieces([20, 21]) : nil, end: Self.end,
      maximumLength: length)
    #expect(encoding.types.allSatisfy { $0 == 0 })
    return (encoding.ids, encoding.sources, encoding.dropped)
  }

  @Test(
    "a text loses its end, and then the token that ends it",
    arguments: [
      (nil, [1, 10, 11, 12, 2], 0), (5, [1, 10, 11, 12, 2], 0), (4, [1, 10, 11, 12], 1), (3, [1, 10, 11], 2),
    ] as [(Int?, [Int32], Int)])
  func text(_ length: Int?, _ expected: [Int32], _ dropped: Int) throws {
    let made = try ids(length, pair: false)
    #expect(made.ids == expected && made.dropped == dropped)
  }

  @Test(
    "a prompt loses its beginning, and only then its completion the end",
    arguments: [
      (nil, [1, 10, 11, 12, 20, 21, 2], 0), (6, [1, 11, 12, 20, 21, 2], 1), (4, [1, 20, 21, 2], 3),
      (3, [1, 20, 21], 4),
    ] as [(Int?, [Int32], Int)])
  func pair(_ length: Int?, _ expected: [Int32], _ dropped: Int) throws {
    let made = try ids(length, pair: true)
    #expect(made.ids == expected && made.dropped == dropped)
    #expect(made.sources.filter { $0 == 1 }.count == 2 && made.sources[0] == -1)
  }

  @Test("two positions are too few for a text that begins and ends with a token of its own")
  func noRoom() throws {
    #expect(throws: TextError.noRoomForText(maximumLength: 2, specialTokens: 2)) { try ids(2, pair: true) }
  }

  @Test(
    "a prompt and its completion have the pieces of the joined text, and a piece over the seam is the completion's",
    arguments: [
      // No blank is put in front of a completion where the tokenizer puts one in front of texts.
      ("llama2", "bako:", " ba", ["▁ba"], false), ("llama2", "bako:", "ba", ["ba"], false),
      ("llama2", "bako: ", "ba", ["▁ba"], true), ("llama2", "", "ba", ["▁ba"], false),
      ("gpt2", "ba:", " ba", ["Ġba"], false), ("gpt2", "ba: ", "ba", ["Ġba"], true),
      // Here places leave the blank out, so the piece seems to begin at the seam.
      ("roberta", "ba: ", "ba", ["Ġba"], true), ("xlm-roberta", "ba", " ba", ["▁ba"], false),
    ] as [(String, String, String, [String], Bool)])
  func seam(_ name: String, _ prompt: String, _ completion: String, _ expected: [String], _ changes: Bool)
    throws
  {
    let tokenizer = try TokenizerLoader.load("\(bpeFixtures)/\(name)")
    let made = tokenizer.pieces(prompt, continuedBy: completion)
    #expect((made.text + made.continuation).map(\.id) == tokenizer.pieces(prompt + completion).map(\.id))
    #expect(made.continuation.compactMap { tokenizer.token($0.id) } == expected)
    #expect(made.changesText == changes)
    #expect(made.continuation.allSatisfy { 0 <= $0.begin && $0.end <= completion.utf8.count })
  }
}
