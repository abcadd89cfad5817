import Foundation
import Testing

@testable import PTuneText

@Suite("Byte-pair encodings and unigram models give what Hugging Face tokenizers gives")
struct BPETests {
  private struct Decoded: Decodable {
    let ids: [Int32]
    let text: String
    let all: String

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      ids = try values.decode([Int32].self)
      text = try values.decode(String.self)
      all = try values.decode(String.self)
    }
  }

  private struct Pair: Decodable {
    let a: String
    let b: String
    let ids: [Int32]
    let types: [Int32]

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      a = try values.decode(String.self)
      b = try values.decode(String.self)
      ids = try values.decode([Int32].self)
      types = try values.decode([Int32].self)
    }
  }

  static let names = [
    "gpt2", "roberta", "llama3", "qwen2", "smollm", "llama2", "llama2-metaspace", "metaspace", "xlm-roberta",
    "t5",
    "unigram-bytes", "bloom", "gpt4o", "gemma", "patterns",
  ]

  private static func load(_ name: String) throws -> any Tokenizer {
    try TokenizerLoader.load("\(bpeFixtures)/\(name)")
  }

  private static func rows<Row: Decodable>(_ name: String) throws -> [Row] {
    let data = try Data(contentsOf: URL(filePath: "\(bpeFixtures)/\(name)"))
    return try data.split(separator: UInt8(ascii: "\n")).map {
      try JSONDecoder().decode(Row.self, from: $0)
    }
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

  @Test("ids and places of 640 difficult lines", arguments: names)
  func lines(name: String) throws {
    let tokenizer = try Self.load(name)
    let lines: [String] = try Self.rows("lines.jsonl")
    let expected: [[[Int32]]] = try Self.rows("\(name)/lines.jsonl")
    #expect(lines.count == 640 && expected.count == 640)
    for (line, expected) in zip(lines, expected) {
      #expect(Self.flattened(tokenizer.pieces(line)) == expected, "\(line.debugDescription)")
    }
  }

  @Test("decoding, with and without special tokens", arguments: names)
  func decoding(name: String) throws {
    let tokenizer = try Self.load(name)
    let rows: [Decoded] = try Self.rows("\(name)/decoded.jsonl")
    #expect(rows.count == 40)
    for row in rows {
      #expect(Array(tokenizer.decode(row.ids).utf8) == Array(row.text.utf8))
      let all = tokenizer.decode(row.ids, skippingSpecialTokens: false)
      #expect(Array(all.utf8) == Array(row.all.utf8))
    }
  }

  @Test("two texts with special tokens", arguments: names)
  func pairs(name: String) throws {
    let tokenizer = try Self.load(name)
    let pairs: [Pair] = try Self.rows("\(name)/pairs.jsonl")
    #expect(pairs.count == 12)
    for pair in pairs {
      let encoding = try tokenizer.encode(pair.a, pair: pair.b)
      #expect(encoding.ids == pair.ids && encoding.types == pair.types, "\(pair.a.debugDescription)")
    }
  }

  @Test("bytes that are not UTF-8 count as U+FFFD", arguments: names)
  func invalidBytes(name: String) throws {
    let tokenizer = try Self.load(name)
    let bytes: [UInt8] = [0x62, 0xFF, 0x61, 0xE2, 0x82, 0x20, 0x62]
    let pieces = bytes.withUnsafeBufferPointer { tokenizer.pieces(utf8: $0) }
    #expect(pieces.map(\.id) == tokenizer.pieces("b\u{FFFD}a\u{FFFD}\u{FFFD} b").map(\.id))
    #expect(pieces.allSatisfy { 0 <= $0.begin && $0.begin <= $0.end && $0.end <= 7 })
  }

  @Test("special tokens come by their usual names, or as the configuration names them")
  func specialTokens() throws {
    let usual = try Self.load("llama3").specialTokens
    #expect(usual.beginning == 1 && usual.end == 2 && usual.padding == 4 && usual.mask == 3)
    #expect(usual.unknown == 0 && usual.classification == nil)
    let folder = try Folder([
      "c.json": "{\"eos_token\": {\"content\": \"<|endoftext|>\"}, \"bos_token\": null}"
    ])
    let named = try TokenizerLoader.load(
      tokenizerJSON: "\(bpeFixtures)/gpt2/tokenizer.json", configuration: "\(folder.path)/c.json"
    ).specialTokens
    #expect(named.end == 5 && named.beginning == nil && named.padding == nil)
  }

  @Test("a word of many symbols merges as a short one does")
  func longWords() throws {
    // Words of over 40 symbols are merged with a queue; "bako" repeats without a seam.
    let tokenizer = try Self.load("gpt2")
    let unit = tokenizer.pieces("tomuto")
    for count in [6, 7, 40, 500] {
      let pieces = tokenizer.pieces(String(repeating: "tomuto!", count: count))
      #expect(tokenizer.decode(pieces.map(\.id)) == String(repeating: "tomuto!", count: count))
      #expect(pieces.prefix(unit.count) == unit[...])
    }
    let run = String(repeating: "ka", count: 4000)
    let pieces = tokenizer.pieces(run)
    #expect(tokenizer.decode(pieces.map(\.id)) == run && pieces.last?.end == 8000)
  }
}
