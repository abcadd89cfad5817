extension TokenizerLoader {
  /// A BERT tokenizer from `vocab.txt`, one token a line, and what `tokenizer_config.json` says about it.
  ///
  /// Without a configuration text is lower-cased, as BERT's own default is.
  /// - Throws: `TextError` naming the file, and the line or the key in it.
  public static func load(
    vocabularyText path: String, configuration: String? = nil
  ) throws(TextError) -> any Tokenizer {
    let settings = try configuration.map { path throws(TextError) in try JSONNode(contentsOf: path) }
    let vocabulary = try readVocabulary(path)
    let names = try SpecialTokenNames(settings)
    let required = { (name: String) throws(TextError) -> Int32 in
      guard let id = vocabulary.id(name) else { throw .missingKey(path: path, key: "the token \(name)") }
      return id
    }
    let normalizer = try BertNormalizer(settings: settings)
    var added = AddedTokens()
    for name in names.all {
      guard let id = vocabulary.id(name) else { continue }
      added.add(AddedToken(id: id, content: name, isSpecial: true), normalizer: normalizer)
    }
    try add(settings?["added_tokens_decoder"], to: &added, normalizer)
    if let configuration {
      try Vocabulary.checkGaps(
        largest: Int(added.largestID), tokens: vocabulary.tokens.count + added.count, configuration,
        key: "added_tokens_decoder")
    }
    let (classification, separator) = (try required(names.classification), try required(names.separator))
    var special = SpecialTokens()
    special.classification = classification
    special.separator = separator
    special.padding = vocabulary.id(names.padding)
    special.mask = vocabulary.id(names.mask)
    special.unknown = try required(names.unknown)
    return WordPieceTokenizer(
      normalizer: normalizer,
      model: WordPieceModel(vocabulary: vocabulary, unknown: try required(names.unknown)),
      added: added, template: .bert(classification: classification, separator: separator),
      decoder: WordPieceDecoder(continuingPrefix: "##", cleansUp: true), specialTokens: special)
  }

  private static func readVocabulary(_ path: String) throws(TextError) -> Vocabulary {
    let lines = try LineReader(path: path)
    var vocabulary = Vocabulary(bytes: 1 << 12)
    var id: Int32 = 0
    while let line = try lines.next() {
      vocabulary.add(line.text, id: id)
      id += 1
    }
    if id == 0 { throw .emptyFile(path: path) }
    return vocabulary
  }

  /// `{"103": {"content": "[MASK]", "lstrip": false, …}, …}`.
  private static func add(
    _ node: JSONNode?, to added: inout AddedTokens, _ normalizer: BertNormalizer
  ) throws(TextError) {
    guard let node else { return }
    for key in try node.object().keys {
      let member = try node.member(key)
      guard let id = Int32(key), (0..<Int32(Vocabulary.maximumID)).contains(id) else {
        throw node.invalid("an object whose keys are ids")
      }
      added.add(try AddedToken(member, id: id), normalizer: normalizer)
    }
  }
}

/// The special tokens' names, as the configuration gives them: a string, or an object with `content`.
private struct SpecialTokenNames {
  let classification, separator, padding, mask, unknown: String

  init(_ settings: JSONNode?) throws(TextError) {
    let name = { (key: String, usual: String) throws(TextError) -> String in
      guard let node = settings?[key] else { return usual }
      return try (node["content"] ?? node).string()
    }
    classification = try name("cls_token", "[CLS]")
    separator = try name("sep_token", "[SEP]")
    padding = try name("pad_token", "[PAD]")
    mask = try name("mask_token", "[MASK]")
    unknown = try name("unk_token", "[UNK]")
  }

  var all: [String] { [padding, unknown, classification, separator, mask] }
}

extension AddedToken {
  /// Reads the keys that Hugging Face files give an added token.
  init(_ node: JSONNode, id: Int32) throws(TextError) {
    self.init(
      id: id, content: try node.member("content").string(),
      isSingleWord: try node["single_word"]?.bool() ?? false, stripsLeft: try node["lstrip"]?.bool() ?? false,
      stripsRight: try node["rstrip"]?.bool() ?? false, isNormalized: try node["normalized"]?.bool() ?? false,
      isSpecial: try node["special"]?.bool() ?? false)
  }
}

extension BertNormalizer {
  /// What transformers' classes of BERT's kind make of `tokenizer_config.json`: text is lower-cased unless it says
  /// otherwise, and accents go where text is lower-cased.
  init(settings: JSONNode?) throws(TextError) {
    self.init()
    lowercases = try settings?["do_lower_case"]?.bool() ?? true
    stripsAccents = try settings?["strip_accents"]?.bool() ?? lowercases
    separatesIdeographs = try settings?["tokenize_chinese_chars"]?.bool() ?? true
  }
}
