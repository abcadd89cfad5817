import PTuneFormats

/// Reads a byte-pair encoding or a unigram model out of `tokenizer.json`.
struct SubwordReader {
  let top: JSONNode
  let model: JSONNode
  /// `tokenizer_config.json`, which says what special tokens are for.
  let configuration: JSONNode?

  func bytePairEncoding() throws(TextError) -> any Tokenizer {
    var preTokenizer = try readPreTokenizer()
    let model = try BPEReader(model: model).read(isByteLevel: preTokenizer?.isByteLevel ?? false)
    if preTokenizer?.splits.isEmpty ?? true, !model.ignoresMerges, let space = separableSpace(model) {
      preTokenizer = preTokenizer ?? PreTokenizer()
      preTokenizer?.splits = [.separatorRun(space)]
    }
    return try tokenizer(model, preTokenizer)
  }

  func unigram() throws(TextError) -> any Tokenizer {
    let preTokenizer = try readPreTokenizer()
    if preTokenizer?.isByteLevel ?? false {
      throw .unsupported(
        path: top.path, key: "pre_tokenizer", type: "ByteLevel with a Unigram model", supported: ["Metaspace"]
      )
    }
    return try tokenizer(UnigramReader(model: model).read(), preTokenizer)
  }

  private func readPreTokenizer() throws(TextError) -> PreTokenizer? {
    try top["pre_tokenizer"].map { node throws(TextError) in try PreTokenizer(node) }
  }

  private func tokenizer(
    _ model: some SubwordModel, _ preTokenizer: PreTokenizer?
  ) throws(TextError) -> any Tokenizer {
    let normalizer = try top["normalizer"].map { node throws(TextError) in try NormalizerSteps(node) }
    var added = AddedTokens()
    for node in try top["added_tokens"]?.array() ?? [] {
      added.add(
        try AddedToken(node, id: node.member("id").tokenID()), normalizer: normalizer ?? NormalizerSteps())
    }
    let processor = try top["post_processor"].map { node throws(TextError) in try PostProcessor(node) }
    let token = { (id: Int32) in added[id]?.content ?? model.vocabulary.token(id) }
    let template = processor?.template ?? .plain
    try template.check(top, token: token)
    try Vocabulary.checkGaps(
      largest: Int(added.largestID), tokens: model.vocabulary.tokens.count + added.count, top.path,
      key: "added_tokens")
    let count = Swift.max(model.vocabulary.tokens.count, Int(added.largestID) + 1)
    let trimming = processor.flatMap { processor in
      processor.trimming.trims
        ? PlaceTrimming(keepsFirst: processor.trimming.keepsFirst, count: count, added: added, token: token)
        : nil
    }
    return SubwordTokenizer(
      normalizer: normalizer ?? NormalizerSteps(), preTokenizer: preTokenizer ?? PreTokenizer(), model: model,
      added: added, template: template, trimming: trimming,
      decoder: try top["decoder"].map { node throws(TextError) in try TokenDecoder(node) },
      specialTokens: try SpecialTokens(configuration: configuration, unknown: model.unknown) {
        added.id($0) ?? model.vocabulary.id($0)
      })
  }

  /// `▁`, when no token reaches over the beginning of a run of it. Then a text without any splits can be merged
  /// word by word, which comes to the same and is much faster.
  private func separableSpace(_ model: BPEModel) -> [UInt8]? {
    let space = Array("▁".utf8)
    guard !model.isByteLevel, model.vocabulary.id("▁") != nil else { return nil }
    let reachesOver = model.vocabulary.tokens.contains { token in
      guard let token else { return false }
      let bytes = Array(token.utf8)
      return bytes.indices.dropFirst().contains { index in
        bytes[index...].starts(with: space) && !bytes[..<index].suffix(3).elementsEqual(space)
      }
    }
    return reachesOver ? nil : space
  }
}

extension SpecialTokens {
  /// The special tokens that `tokenizer_config.json` names, a string or an object with `content` each; without one,
  /// those with the usual names that the vocabulary has.
  init(configuration: JSONNode?, unknown: Int32?, id: (String) -> Int32?) throws(TextError) {
    self.init()
    func find(_ key: String, _ usual: [String]) throws(TextError) -> Int32? {
      guard let configuration else {
        for name in usual { if let found = id(name) { return found } }
        return nil
      }
      guard let node = configuration[key] else { return nil }
      return id(try (node["content"] ?? node).string())
    }
    beginning = try find("bos_token", ["<s>", "<|begin_of_text|>", "<|endoftext|>"])
    end = try find("eos_token", ["</s>", "<|end_of_text|>", "<|endoftext|>"])
    classification = try find("cls_token", ["[CLS]"])
    separator = try find("sep_token", ["[SEP]"])
    padding = try find("pad_token", ["<pad>", "[PAD]"])
    mask = try find("mask_token", ["<mask>", "[MASK]"])
    let named = try find("unk_token", ["<unk>", "[UNK]"])
    self.unknown = unknown ?? named
  }
}
