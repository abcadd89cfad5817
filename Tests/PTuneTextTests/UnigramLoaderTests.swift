import PTune
import Testing

@testable import PTuneText

@Suite("Loading a unigram model")
struct UnigramLoaderTests {
  /// A tokenizer.json that loads; the cases replace one piece of it. The map of characters replaces "X" by "y".
  private static let whole = """
    {"normalizer":{"type":"Sequence","normalizers":[{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},
     "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace"}]},
     "model":{"type":"Unigram","unk_id":0,"byte_fallback":false,
      "vocab":[["<unk>",0.0],["\u{2581}",-2],["a",-3.5],["\u{2581}ab",-4]]}}
    """

  private static func load(_ text: String) throws -> any Tokenizer {
    let folder = try Folder(["tokenizer.json": text])
    return try TokenizerLoader.load(tokenizerJSON: "\(folder.path)/tokenizer.json")
  }

  @Test("the most probable tokens are taken, and what none spells is unknown")
  func spells() throws {
    let tokenizer = try Self.load(Self.whole)
    #expect(tokenizer.pieces("a  ab xx").map(\.id) == [1, 2, 3, 1, 0])
    #expect(tokenizer.pieces("ab").first.map { [$0.begin, $0.end] } == [0, 2])
  }

  // What the package `tokenizers` writes after it has read the first one.
  @Test(
    "log probabilities are rounded as the package tokenizers rounds them",
    arguments: [
      (-9.582370289467255, -9.582370289467256), (-7.2977310842199365, -7.297731084219936),
      (-9.346638922425106, -9.346638922425106), (0, 0), (-2, -2), (12.5, 12.5), (-1e-5, -1e-5), (5e20, 5e20),
    ])
  func rounds(number: Double, read: Double) { #expect(UnigramReader.asRead(number) == read) }

  @Test(
    "what is damaged or not supported is named",
    arguments: [
      ("[\"a\",-3.5]", "[\"a\"]", "model.vocab[2] should be a token and its log probability"),
      ("-3.5", "\"x\"", "model.vocab[2] should be a token and its log probability"),
      ("\"unk_id\":0", "\"unk_id\":4", "model.unk_id should be the place of a token of vocab"),
      ("[[\"<unk>\",0.0]", "{\"a\":[0]", nil),
      (
        "{\"type\":\"WhitespaceSplit\"},", "{\"type\":\"Digits\"},{\"type\":\"WhitespaceSplit\"},",
        "pre_tokenizer.pretokenizers[1].type is \"WhitespaceSplit after another\", which is not supported"
      ),
      (
        "[{\"type\":\"Replace\"",
        "[{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAAA\"},{\"type\":\"Replace\"",
        "normalizer.normalizers[0].precompiled_charsmap should be SentencePiece's map of characters in Base64"
      ),
      (
        "{\"type\":\"WhitespaceSplit\"},{\"type\":\"Metaspace\"}", "{\"type\":\"ByteLevel\"}",
        "pre_tokenizer is \"ByteLevel with a Unigram model\", which is not supported"
      ),
    ] as [(String, String, String?)])
  func refuses(old: String, new: String, message: String?) throws {
    #expect(Self.whole.contains(old))
    let error = #expect(throws: TextError.self) {
      try Self.load(Self.whole.replacing(old, with: new))
    }
    if let message {
      #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
    }
  }

  @Test("a damaged map of characters does no harm", arguments: 0..<64)
  func damagedMap(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    var bytes = (0..<80).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    bytes.replaceSubrange(0..<4, with: [64, 0, 0, 0])
    guard let map = PrecompiledMap(bytes) else { return }
    let text = Array("aé▁X\u{301}\r\n👍🏽ﬁ".utf8)
    let result = text.withUnsafeBufferPointer { map.apply(NormalizedText($0, 0..<text.count)) }
    #expect(result.begins.allSatisfy { (0...text.count).contains(Int($0)) })
  }
}
