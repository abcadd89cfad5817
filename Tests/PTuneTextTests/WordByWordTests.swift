import Foundation
import Testing

@testable import PTuneText

@Suite("Words cut one by one") struct WordByWordTests {
  /// What Scripts/generate/fixtures/word_fixtures.py writes.
  private struct Row: Decodable {
    let tokenizer: String
    let words: [String]
    let ids: [Int32]
    let owners: [Int]
  }

  private static let folder =
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path

  @Test("ids and the word of each are those of transformers' token classification examples")
  func reference() throws {
    let data = try Data(contentsOf: URL(filePath: "\(Self.folder)/words.jsonl"))
    let rows = try data.split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(Row.self, from: $0)
    }
    #expect(Set(rows.map(\.tokenizer)).count == 13)
    for (name, rows) in Dictionary(grouping: rows, by: \.tokenizer) {
      let tokenizer = try TokenizerLoader.load(tokenizerJSON: "\(Self.folder)/\(name)/tokenizer.json")
      for row in rows {
        let text = row.words.joined(separator: " ")
        let places = try #require(WordPlaces.of(row.words, in: text))
        let pieces = tokenizer.pieces(words: places, of: text)
        #expect(pieces.map(\.id) == row.ids, "\(name): \(row.words)")
        let owners = pieces.map { piece in
          places.firstIndex { $0.contains(Int(piece.begin)) && Int(piece.end) <= $0.upperBound }
        }
        #expect(owners == row.owners, "\(name): \(row.words)")
      }
    }
  }

  @Test("words are sought one behind the other, and what stands between blanks is a word")
  func places() {
    #expect(WordPlaces.of(["a", "b", "a"], in: "a(b a") == [0..<1, 2..<3, 4..<5])
    #expect(WordPlaces.of(["a", ""], in: "a") == [0..<1, 1..<1])
    #expect(WordPlaces.of(["b", "a"], in: "a b") == nil)
    #expect(WordPlaces.between(blanksOf: " \tü  b\r\n") == [2..<4, 6..<7])
    #expect(WordPlaces.between(blanksOf: " ").isEmpty)
  }
}
