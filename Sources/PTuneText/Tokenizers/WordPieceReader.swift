/// Reads a WordPiece tokenizer out of `tokenizer.json`.
struct WordPieceReader {
  let top: JSONNode
  let model: JSONNode
  /// `tokenizer_config.json`; nil without one.
  let configuration: JSONNode?

  /// Classes of transformers that take `tokenizer.json` as it is. All others for word pieces are of BERT's kind: they make
  /// the normalizer anew from `tokenizer_config.json`, whatever `tokenizer.json` says of it (transformers 5.23).
  private static let generic = ["PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend"]

  func tokenizer() throws(TextError) -> WordPieceTokenizer {
    let normalizer = try readNormalizer()
    try TokenizerLoader.expect(try top.member("pre_tokenizer").member("type"), among: ["BertPreTokenizer"])
    let model = try readModel()
    var added = AddedTokens()
    for node in try top["added_tokens"]?.array() ?? [] {
      added.add(try AddedToken(node, id: node.member("id").tokenID()), normalizer: normalizer)
    }
    try Vocabulary.checkGaps(
      largest: Int(added.largestID), tokens: model.vocabulary.tokens.count + added.count, top.path,
      key: "added_tokens")
    let template = try top["post_processor"].map { node throws(TextError) in
      try PostProcessor(node, supported: ["TemplateProcessing", "BertProcessing"]).template ?? .plain
    }
    let tokenizer = WordPieceTokenizer(
      normalizer: normalizer, model: model, added: added, template: template ?? .plain,
      decoder: try readDecoder(),
      specialTokens: .bert(unknown: model.unknown) { added.id($0) ?? model.vocabulary.id($0) })
    try tokenizer.template.check(top) { tokenizer.token($0) }
    return tokenizer
  }

  private func readNormalizer() throws(TextError) -> BertNormalizer {
    if let configuration {
      let name = try configuration["tokenizer_class"]?.string() ?? ""
      if !Self.generic.contains(name) { return try BertNormalizer(settings: configuration) }
    }
    guard let node = top["normalizer"] else { return .none }
    try TokenizerLoader.expect(try node.member("type"), among: ["BertNormalizer"])
    var normalizer = BertNormalizer()
    normalizer.cleansText = try node["clean_text"]?.bool() ?? true
    normalizer.separatesIdeographs = try node["handle_chinese_chars"]?.bool() ?? true
    normalizer.lowercases = try node["lowercase"]?.bool() ?? true
    normalizer.stripsAccents = try node["strip_accents"]?.bool() ?? normalizer.lowercases
    return normalizer
  }

  private func readModel() throws(TextError) -> WordPieceModel {
    let vocabulary = try Vocabulary(try model.member("vocab"))
    let unknown = try model.member("unk_token")
    guard let id = vocabulary.id(try unknown.string()) else {
      throw unknown.invalid("a token of the vocabulary")
    }
    return WordPieceModel(
      vocabulary: vocabulary, unknown: id,
      continuingPrefix: try model["continuing_subword_prefix"]?.string() ?? "##",
      maximumCharacters: try model["max_input_chars_per_word"]?.integer(below: 1 << 31) ?? 100)
  }

  private func readDecoder() throws(TextError) -> WordPieceDecoder? {
    guard let node = top["decoder"] else { return nil }
    try TokenizerLoader.expect(try node.member("type"), among: ["WordPiece"])
    return WordPieceDecoder(
      continuingPrefix: try node["prefix"]?.string() ?? "##", cleansUp: try node["cleanup"]?.bool() ?? true)
  }
}

extension SpecialTokens {
  /// BERT's special tokens by their usual names, where the vocabulary has them.
  static func bert(unknown: Int32, id: (String) -> Int32?) -> SpecialTokens {
    var tokens = SpecialTokens()
    tokens.classification = id("[CLS]")
    tokens.separator = id("[SEP]")
    tokens.padding = id("[PAD]")
    tokens.mask = id("[MASK]")
    tokens.unknown = unknown
    return tokens
  }
}
