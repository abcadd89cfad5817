import Testing

@testable import PTuneText

@Suite("Loading a tokenizer")
struct TokenizerLoaderTests {
  /// A tokenizer.json that loads; the cases replace one piece of it.
  private static let whole = """
    {"added_tokens":[{"id":0,"content":"[UNK]","special":true}],
     "normalizer":{"type":"BertNormalizer","lowercase":true},
     "pre_tokenizer":{"type":"BertPreTokenizer"},
     "post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},
     "decoder":{"type":"WordPiece"},
     "model":{"type":"WordPiece","unk_token":"[UNK]","vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"a":3,"##b":4}}}
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
      old: "\"type\":\"WordPiece\",\"unk", new: "\"type\":\"WordLevel\",\"unk",
      message:
        "tokenizer.json: model.type is \"WordLevel\", which is not supported\nsupported here: WordPiece, BPE, Unigram"
    ),
    Case(
      old: "BertNormalizer", new: "NFKC",
      message:
        "tokenizer.json: normalizer.type is \"NFKC\", which is not supported\nsupported here: BertNormalizer"),
    Case(
      old: "BertPreTokenizer", new: "Metaspace",
      message:
        "tokenizer.json: pre_tokenizer.type is \"Metaspace\", which is not supported\nsupported here: BertPreTokenizer"
    ),
    Case(
      old: "BertProcessing", new: "ByteLevel",
      message:
        "tokenizer.json: post_processor.type is \"ByteLevel\", which is not supported\n"
        + "supported here: TemplateProcessing, BertProcessing"),
    Case(
      old: "\"decoder\":{\"type\":\"WordPiece\"}", new: "\"decoder\":{\"type\":\"Fuse\"}",
      message: "tokenizer.json: decoder.type is \"Fuse\", which is not supported\nsupported here: WordPiece"),
    Case(old: "\"model\"", new: "\"models\"", message: "tokenizer.json: model is missing" + damaged),
    Case(old: "\"vocab\"", new: "\"v\"", message: "tokenizer.json: model.vocab is missing" + damaged),
    Case(
      old: "\"a\":3", new: "\"a\":-3",
      message: "tokenizer.json: model.vocab[\"a\"] should be a whole number below 16777216" + damaged),
    Case(
      old: "\"a\":3", new: "\"a\":99999999999",
      message: "tokenizer.json: model.vocab[\"a\"] should be a whole number below 16777216" + damaged),
    Case(
      old: "\"unk_token\":\"[UNK]\"", new: "\"unk_token\":\"<unk>\"",
      message: "tokenizer.json: model.unk_token should be a token of the vocabulary" + damaged),
    Case(
      old: "\"id\":0", new: "\"id\":\"0\"",
      message: "tokenizer.json: added_tokens[0].id should be a whole number below 16777216" + damaged),
    Case(
      old: "\"lowercase\":true", new: "\"lowercase\":1",
      message: "tokenizer.json: normalizer.lowercase should be true or false" + damaged),
    Case(
      old: "[\"[SEP]\",2]", new: "[\"[SEP]\",7]",
      message: "tokenizer.json: post_processor should be made of ids of the vocabulary, not 7" + damaged),
    Case(
      old: "\"##b\":4}}}", new: "\"##b\":4}",
      message:
        "tokenizer.json:6:103: expected ',' or '}' but the text ends\n"
        + "the file may be truncated; fetch or write it again"),
  ]

  @Test("what is wrong in tokenizer.json is named with its key", arguments: cases)
  func damagedFile(_ example: Case) throws {
    let text = Self.whole.replacing(example.old, with: example.new, maxReplacements: 1)
    #expect(text != Self.whole)
    let folder = try Folder(["tokenizer.json": text])
    #expect(try failure { try TokenizerLoader.load(folder.path) }.shown(folder) == example.message)
  }

  @Test("a tokenizer without normalizer, post-processor and decoder takes text as it is")
  func bareFile() throws {
    let bare = Self.whole.replacing("\"normalizer\"", with: "\"a\"").replacing(
      "\"post_processor\"", with: "\"b\""
    )
    .replacing("\"decoder\"", with: "\"c\"")
    let folder = try Folder(["tokenizer.json": bare])
    let tokenizer = try TokenizerLoader.load(folder.path)
    #expect(try tokenizer.encode("ab A", pair: "a").ids == [3, 4, 0, 3])
    #expect(tokenizer.template == .plain)
    #expect(tokenizer.decode([3, 4]) == "a ##b")
  }

  @Test("a folder without a tokenizer says what it looked for")
  func emptyFolder() throws {
    let folder = try Folder()
    #expect(
      try failure { try TokenizerLoader.load(folder.path) }.shown(folder)
        == "no tokenizer in FOLDER: it has no tokenizer.json and no vocab.txt\n"
        + "copy the tokenizer files next to the model's weights")
  }

  @Test("vocab.txt needs the special tokens, and a file that is not empty")
  func vocabularyText() throws {
    let folder = try Folder(["vocab.txt": "[UNK]\n[CLS]\na\n"])
    #expect(
      try failure { try TokenizerLoader.load(folder.path) }.shown(folder)
        == "vocab.txt: the token [SEP] is missing" + Self.damaged)
    let empty = try Folder(["vocab.txt": ""])
    #expect(
      try failure { try TokenizerLoader.load(empty.path) }.shown(empty)
        == "vocab.txt is empty\ncheck that the file was written whole")
  }

  @Test("vocab.txt may have Windows line ends, and its configuration other special tokens")
  func configuration() throws {
    let folder = try Folder([
      "vocab.txt": "<u>\r\n<c>\r\n<s>\r\na\r\n##b\r\nA\r\n<x>\r\n",
      "tokenizer_config.json": """
      {"do_lower_case": false, "unk_token": "<u>", "cls_token": {"content": "<c>"}, "sep_token": "<s>",
       "added_tokens_decoder": {"6": {"content": "<x>", "special": false, "lstrip": true}}}
      """,
    ])
    let tokenizer = try TokenizerLoader.load(folder.path)
    #expect(try tokenizer.encode("Ab <x>ab").ids == [1, 5, 4, 6, 3, 4, 2])
    #expect(tokenizer.specialTokens.padding == nil && tokenizer.specialTokens.unknown == 0)
  }
}
