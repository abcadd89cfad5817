import Testing

@testable import PTuneText

@Suite("Loading a byte-pair encoding")
struct BPELoaderTests {
  /// A tokenizer.json that loads; the cases replace one piece of it.
  private static let whole = """
    {"normalizer":{"type":"NFC"},
     "pre_tokenizer":{"type":"Sequence","pretokenizers":[
      {"type":"Digits","individual_digits":true},
      {"type":"Split","pattern":{"Regex":"'s|'t|'re|'ve|'m|'ll|'d| ?\\\\p{L}+| ?\\\\p{N}+| ?[^\\\\s\\\\p{L}\\\\p{N}]+|\\\\s+(?!\\\\S)|\\\\s+"},"behavior":"Isolated"},
      {"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},
     "post_processor":{"type":"ByteLevel"},
     "decoder":{"type":"ByteLevel"},
     "model":{"type":"BPE","dropout":null,"unk_token":null,"vocab":{"a":0,"b":1,"ab":2,"\u{120}":3,"\u{120}ab":4},
      "merges":["a b",["\u{120}","ab"]]}}
    """

  struct Case: Sendable, CustomTestStringConvertible {
    let old: String
    let new: String
    let message: String
    var testDescription: String { message }
  }

  private static let damaged = "\nthe file may be damaged or of another kind; fetch it again"

  static let cases = [
    Case(
      old: "\"NFC\"", new: "\"Nmt\"",
      message: "tokenizer.json: normalizer.type is \"Nmt\", which is not supported\n"
        + "supported here: NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Prepend, Replace, Strip, Precompiled, Sequence"
    ),
    Case(
      old: "{\"type\":\"NFC\"}",
      new: "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\" {3,}(\"},\"content\":\" \"}",
      message: "tokenizer.json: normalizer.pattern.Regex should be a regular expression; this one has no ')' "
        + "for this '(', character 6" + damaged),
    Case(
      old: "\"Digits\"", new: "\"Punctuation\"",
      message:
        "tokenizer.json: pre_tokenizer.pretokenizers[0].type is \"Punctuation\", which is not supported\n"
        + "supported here: ByteLevel, Metaspace, Split, Digits, WhitespaceSplit, Sequence"),
    Case(
      old: "(?!\\\\S)", new: "(?!\\\\1)",
      message: "tokenizer.json: pre_tokenizer.pretokenizers[1].pattern.Regex should be a regular expression; "
        + "this one has an escape that is not supported, character 68" + damaged),
    Case(
      old: "Isolated", new: "Sideways",
      message: "tokenizer.json: pre_tokenizer.pretokenizers[1].behavior should be one of Removed, Isolated, "
        + "MergedWithPrevious, MergedWithNext, Contiguous" + damaged),
    Case(
      old: "\"add_prefix_space\":false", new: "\"add_prefix_space\":true",
      message: "tokenizer.json: pre_tokenizer.pretokenizers[2].add_prefix_space is "
        + "\"something that adds to the text after it was split\", which is not supported\n"
        + "supported here: it as the first of a Sequence"),
    Case(
      old: "\"decoder\":{\"type\":\"ByteLevel\"}", new: "\"decoder\":{\"type\":\"CTC\"}",
      message: "tokenizer.json: decoder.type is \"CTC\", which is not supported\n"
        + "supported here: ByteLevel, Metaspace, ByteFallback, Fuse, Strip, Replace, Sequence"),
    Case(
      old: "\"post_processor\":{\"type\":\"ByteLevel\"}",
      new: "\"post_processor\":{\"type\":\"RobertaProcessing\",\"cls\":[\"a\",0],\"sep\":[\"</s>\",9]}",
      message: "tokenizer.json: post_processor should be made of ids of the vocabulary, not 9" + damaged),
    Case(
      old: "\"dropout\":null", new: "\"dropout\":0.1",
      message:
        "tokenizer.json: model.dropout is \"not 0\", which is not supported\nsupported here: no dropout"),
    Case(
      old: "\"dropout\":null", new: "\"end_of_word_suffix\":\"</w>\"",
      message: "tokenizer.json: model.end_of_word_suffix is \"</w>\", which is not supported\n"
        + "supported here: no such affix"),
    Case(
      old: "\"unk_token\":null", new: "\"unk_token\":\"<unk>\"",
      message: "tokenizer.json: model.unk_token should be a token of the vocabulary" + damaged),
    Case(
      old: "\"a b\"", new: "\"ab\"",
      message: "tokenizer.json: model.merges[0] should be two tokens with a space between" + damaged),
    Case(
      old: "\"a b\"", new: "\"b a\"",
      message: "tokenizer.json: model.merges[0] should be two tokens of the vocabulary that make a third"
        + damaged),
  ]

  @Test("what is wrong or not supported is named with its key", arguments: cases)
  func damagedFile(_ example: Case) throws {
    let text = Self.whole.replacing(example.old, with: example.new, maxReplacements: 1)
    #expect(text != Self.whole)
    let folder = try Folder(["tokenizer.json": text])
    #expect(try failure { try TokenizerLoader.load(folder.path) }.shown(folder) == example.message)
  }

  @Test("merges may be one string or two, and characters that the vocabulary lacks are dropped")
  func whole() throws {
    let folder = try Folder(["tokenizer.json": Self.whole])
    let tokenizer = try TokenizerLoader.load(folder.path)
    #expect(tokenizer.pieces("ab abba").map(\.id) == [2, 4, 1, 0])
    #expect(tokenizer.pieces("axb") == [TokenPiece(id: 2, begin: 0, end: 3)])
    #expect(tokenizer.pieces("bxa").map(\.begin) == [0, 2])
    #expect(tokenizer.decode([2, 4]) == "ab ab")
  }
}
