/// Reads a WordPiece tokenizer out of `tokenizer.json`.
struct WordPieceReader {
  let top: JSONNode
  let model: JSONNode

  func tokenizer() throws(TextError) -> WordPieceTokenizer {
    let normalizer = try readNormalizer()
    try TokenizerLoader.expect(try top.member("pre_tokenizer").member("type"), among: ["BertPreTokenizer"])
    let model = try readModel()
    var added = AddedTokens()
    for node in try top["added_tokens"]?.array() ?? [] {
      added.add(try AddedToken(node, id: node.member("id").tokenID()), normalizer: normalizer)
    }
    let tokenizer = WordPieceTokenizer(
      normalizer: normalizer, model: model, added: added, template: try readTemplate(),
      decoder: try readDecoder(),
      specialTokens: .bert(unknown: model.unknown) { added.id($0) ?? model.vocabulary.id($0) })
    try check(tokenizer)
    return tokenizer
  }

  private func readNormalizer() throws(TextError) -> BertNormalizer {
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
    let node = try model.member("vocab")
    let entries = try node.object()
    var vocabulary = Vocabulary(bytes: entries.keys.reduce(0) { $0 + $1.utf8.count })
    for (token, value) in zip(entries.keys, entries.values) {
      guard case .int(let id) = value, (0..<Vocabulary.maximumID).contains(id) else {
        throw .invalidValue(
          path: node.path, key: "\(node.key)[\"\(token)\"]",
          expected: "a whole number below \(Vocabulary.maximumID)")
      }
      vocabulary.add(token, id: Int32(id))
    }
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

  private func readTemplate() throws(TextError) -> SequenceTemplate {
    guard let node = top["post_processor"] else { return .plain }
    let type = try node.member("type")
    try TokenizerLoader.expect(type, among: ["TemplateProcessing", "BertProcessing"])
    if try type.string() == "BertProcessing" {
      return .bert(classification: try bertToken(node, "cls"), separator: try bertToken(node, "sep"))
    }
    return SequenceTemplate(
      single: try parts(node.member("single"), node, sources: 1),
      pair: try parts(node.member("pair"), node, sources: 2))
  }

  /// `["[CLS]", 101]`.
  private func bertToken(_ node: JSONNode, _ name: String) throws(TextError) -> Int32 {
    let member = try node.member(name)
    let elements = try member.array()
    guard elements.count == 2 else { throw member.invalid("a token and its id") }
    return try elements[1].tokenID()
  }

  private func parts(
    _ node: JSONNode, _ processor: JSONNode, sources: Int
  ) throws(TextError) -> [SequenceTemplate.Part] {
    var parts: [SequenceTemplate.Part] = []
    for element in try node.array() {
      if let special = element["SpecialToken"] {
        let type = Int32(try special.member("type_id").integer(below: 128))
        let token = try processor.member("special_tokens").member(special.member("id").string())
        for id in try token.member("ids").array() { parts.append(.special(id: try id.tokenID(), type: type)) }
      } else {
        let text = try element.member("Sequence")
        let name = try text.member("id")
        guard let source = ["A", "B"].firstIndex(of: try name.string()), source < sources else {
          throw name.invalid(sources == 1 ? "\"A\"" : "\"A\" or \"B\"")
        }
        parts.append(.text(source: source, type: Int32(try text.member("type_id").integer(below: 128))))
      }
    }
    return parts
  }

  /// Special tokens must be in the vocabulary: an id outside it would read past the embedding table.
  private func check(_ tokenizer: WordPieceTokenizer) throws(TextError) {
    for case .special(let id, _) in tokenizer.template.single + tokenizer.template.pair
    where tokenizer.token(id) == nil {
      throw .invalidValue(
        path: top.path, key: "post_processor", expected: "made of ids of the vocabulary, not \(id)")
    }
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
