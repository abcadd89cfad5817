import Foundation
import Testing

@testable import PTuneText

@Suite("WordPiece gives what Hugging Face tokenizers gives")
struct WordPieceTests {
  private struct Line: Decodable {
    let text: String
    let uncased: [[Int32]]
    let cased: [[Int32]]
  }

  private struct AddedLine: Decodable {
    let text: String
    let expected: [[Int32]]
  }

  private struct Pair: Decodable {
    let a: String
    let b: String?
    let maximum: Int
    let ids: [Int32]
    let types: [Int32]
  }

  private struct Windows: Decodable {
    let a: String
    let b: String
    let maximum: Int
    let overlap: Int
    let windows: [[Int32]]
  }

  private struct Decoded: Decodable {
    let ids: [Int32]
    let text: String
    let all: String
  }

  private static func rows<Row: Decodable>(_ name: String) throws -> [Row] {
    let data = try Data(contentsOf: URL(filePath: "\(fixtures)/\(name)"))
    return try data.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Row.self, from: $0) }
  }

  /// Ids, and for each piece its begin from the end before and its length, as the fixtures have them.
  private static func flattened(_ pieces: [TokenPiece]) -> [[Int32]] {
    var (places, last) = ([Int32](), Int32(0))
    for piece in pieces {
      places += [piece.begin - last, piece.end - piece.begin]
      last = piece.end
    }
    return [pieces.map(\.id), places]
  }

  @Test("ids and places of 2,700 difficult lines", arguments: ["tokenizer.json", "vocab.txt"])
  func lines(source: String) throws {
    let load = { (folder: String) in
      source == "vocab.txt"
        ? try TokenizerLoader.load(
          vocabularyText: "\(fixtures)/\(folder)/vocab.txt",
          configuration: folder == "cased" ? "\(fixtures)/cased/tokenizer_config.json" : nil)
        : try TokenizerLoader.load("\(fixtures)/\(folder)")
    }
    let (uncased, cased) = (try load("uncased"), try load("cased"))
    let lines: [Line] = try Self.rows("lines.jsonl")
    #expect(lines.count == 2700)
    for line in lines {
      #expect(
        Self.flattened(uncased.pieces(line.text)) == line.uncased, "\(line.text.debugDescription), uncased")
      #expect(Self.flattened(cased.pieces(line.text)) == line.cased, "\(line.text.debugDescription), cased")
    }
  }

  @Test("added tokens: normalized, single words, with white space taken along")
  func addedTokens() throws {
    let tokenizer = try TokenizerLoader.load("\(fixtures)/added")
    let lines: [AddedLine] = try Self.rows("added.jsonl")
    #expect(lines.count == 300)
    for line in lines {
      #expect(Self.flattened(tokenizer.pieces(line.text)) == line.expected, "\(line.text.debugDescription)")
    }
  }

  @Test("one text and two, with special tokens and truncation")
  func pairs() throws {
    let tokenizer = try TokenizerLoader.load("\(fixtures)/uncased")
    let pairs: [Pair] = try Self.rows("pairs.jsonl")
    #expect(pairs.count == 300)
    for pair in pairs {
      let encoding = try tokenizer.encode(pair.a, pair: pair.b, maximumLength: pair.maximum)
      #expect(encoding.ids == pair.ids && encoding.types == pair.types, "\(pair.a.debugDescription)")
      let whole =
        tokenizer.pieces(pair.a).count + tokenizer.pieces(pair.b ?? "").count + (pair.b == nil ? 2 : 3)
      #expect(encoding.dropped == whole - pair.ids.count)
    }
  }

  @Test("windows over the second text")
  func windows() throws {
    let tokenizer = try TokenizerLoader.load("\(fixtures)/uncased")
    let rows: [Windows] = try Self.rows("windows.jsonl")
    #expect(rows.count == 60)
    for row in rows {
      let (first, second) = (tokenizer.pieces(row.a), tokenizer.pieces(row.b))
      let windows = try tokenizer.windows(
        pieces: first, pair: second, over: .second, overlap: row.overlap, maximumLength: row.maximum)
      #expect(windows.map(\.ids) == row.windows, "\(row.a.debugDescription)")
      // Places are those of the whole text.
      let step = row.maximum - first.count - 3 - row.overlap
      for (index, window) in windows.enumerated() {
        let places = zip(zip(window.begins, window.ends), window.sources).filter { $0.1 == 1 }.map(\.0)
        let expected = second[(index * step)...].prefix(places.count)
        #expect(places.map(\.0) == expected.map(\.begin) && places.map(\.1) == expected.map(\.end))
      }
      #expect(throws: TextError.noRoomForWindow(maximumLength: 8, beside: first.count + 3, overlap: 99)) {
        let long = Array(repeating: second[0], count: 100)
        return try tokenizer.windows(
          pieces: first, pair: long, over: .second, overlap: 99, maximumLength: 8)
      }
      let swapped = try tokenizer.encode(
        pieces: second, pair: first, cutting: .first, maximumLength: row.maximum)
      #expect(swapped.ids.count == min(row.maximum, first.count + second.count + 3))
      #expect(swapped.dropped == first.count + second.count + 3 - swapped.ids.count)
    }
  }

  @Test("decoding, with and without special tokens")
  func decoding() throws {
    let tokenizer = try TokenizerLoader.load("\(fixtures)/uncased")
    let rows: [Decoded] = try Self.rows("decoded.jsonl")
    #expect(rows.count == 225)
    for row in rows {
      #expect(Array(tokenizer.decode(row.ids).utf8) == Array(row.text.utf8))
      let all = tokenizer.decode(row.ids, skippingSpecialTokens: false)
      #expect(Array(all.utf8) == Array(row.all.utf8))
    }
  }

  @Test("ids, tokens and special tokens can be looked up")
  func lookUp() throws {
    let tokenizer = try TokenizerLoader.load("\(fixtures)/cased")
    #expect(tokenizer.vocabularySize == 1500)
    #expect(tokenizer.id("[CLS]") == 2 && tokenizer.token(2) == "[CLS]")
    #expect(tokenizer.id("##no-such") == nil && tokenizer.id("") == nil)
    #expect(tokenizer.token(1500) == nil && tokenizer.token(-1) == nil)
    #expect(tokenizer.specialTokens.mask == 4 && tokenizer.specialTokens.padding == 0)
    #expect(tokenizer.specialTokens.beginning == nil)
    #expect(try TokenizerLoader.load("\(fixtures)/added").vocabularySize == 1506)
  }

  @Test("an encoding says which text each position came from, and where in it")
  func encodingPlaces() throws {
    let tokenizer = try TokenizerLoader.load("\(fixtures)/uncased")
    let encoding = try tokenizer.encode("Á!", pair: "é")
    #expect(encoding.sources == [-1, 0, 0, -1, 1, -1])
    #expect(encoding.begins == [0, 0, 2, 0, 0, 0])
    #expect(encoding.ends == [0, 2, 3, 0, 2, 0])
    #expect(encoding.count == 6 && encoding.dropped == 0)
  }

  @Test("bytes that are not UTF-8 count as characters that are dropped")
  func invalidBytes() throws {
    let tokenizer = try TokenizerLoader.load("\(fixtures)/uncased")
    let bytes: [UInt8] = [0x62, 0xFF, 0x61, 0xE2, 0x82]
    let pieces = bytes.withUnsafeBufferPointer { tokenizer.pieces(utf8: $0) }
    #expect(pieces.map(\.id) == tokenizer.pieces("ba").map(\.id))
  }

  @Test("no room for text beside the special tokens is an error")
  func noRoom() throws {
    let tokenizer = try TokenizerLoader.load("\(fixtures)/uncased")
    let error = try failure { try tokenizer.encode("a", pair: "b", maximumLength: 3) }
    #expect(error.description == "3 positions cannot hold any text: special tokens alone take 3")
    #expect(error.help == "use fewer virtual tokens or a larger maximum length")
  }

  @Test(
    "tokenizer_config.json goes before the normalizer of tokenizer.json, as in transformers' classes of BERT's kind",
    arguments: [
      // What transformers 5.23 makes of it, with the cased file and with the uncased one.
      (#"{"tokenizer_class": "BertTokenizer", "do_lower_case": true}"#, true, true),
      (#"{"tokenizer_class": "DistilBertTokenizerFast", "do_lower_case": false}"#, false, false),
      (#"{"tokenizer_class": "BertTokenizer"}"#, true, true), (#"{"do_lower_case": false}"#, false, false),
      (#"{"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": true}"#, false, true),
      (#"{"tokenizer_class": "TokenizersBackend", "do_lower_case": false}"#, false, true),
    ] as [(String, Bool, Bool)])
  func settings(_ configuration: String, _ cased: Bool, _ uncased: Bool) throws {
    for (name, lowercases) in [("cased", cased), ("uncased", uncased)] {
      let folder = try Folder(["tokenizer_config.json": configuration])
      let path = "\(fixtures)/\(name)/tokenizer.json"
      let tokenizer = try TokenizerLoader.load(
        tokenizerJSON: path, configuration: "\(folder.path)/tokenizer_config.json")
      let found = try #require(tokenizer as? WordPieceTokenizer)
      #expect(found.normalizer.lowercases == lowercases, "\(name): \(configuration)")
      #expect(found.normalizer.stripsAccents == lowercases)
    }
    let accents = try Folder([
      "tokenizer_config.json":
        #"{"do_lower_case": false, "strip_accents": true, "tokenize_chinese_chars": false}"#
    ])
    let tokenizer = try TokenizerLoader.load(
      tokenizerJSON: "\(fixtures)/cased/tokenizer.json", configuration: "\(accents.path)/tokenizer_config.json")
    let normalizer = try #require(tokenizer as? WordPieceTokenizer).normalizer
    #expect(!normalizer.lowercases && normalizer.stripsAccents && !normalizer.separatesIdeographs)
  }
}
