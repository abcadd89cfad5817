import PTuneFormats

/// Reads a byte-pair encoding out of `tokenizer.json`.
struct BPEReader {
  let top: JSONNode
  let model: JSONNode
  /// `tokenizer_config.json`, which says what special tokens are for.
  let configuration: JSONNode?

  func tokenizer() throws(TextError) -> BPETokenizer {
    let normalizer = try top["normalizer"].map { node throws(TextError) in try NormalizerSteps(node) }
    var preTokenizer = try top["pre_tokenizer"].map { node throws(TextError) in try PreTokenizer(node) }
    let model = try readModel(isByteLevel: preTokenizer?.isByteLevel ?? false)
    if preTokenizer?.splits.isEmpty ?? true, !model.ignoresMerges, let space = separableSpace(model) {
      preTokenizer = preTokenizer ?? PreTokenizer()
      preTokenizer?.splits = [.separatorRun(space)]
    }
    var added = AddedTokens()
    for node in try top["added_tokens"]?.array() ?? [] {
      added.add(
        try AddedToken(node, id: node.member("id").tokenID()), normalizer: normalizer ?? NormalizerSteps())
    }
    let processor = try top["post_processor"].map { node throws(TextError) in try PostProcessor(node) }
    let token = { (id: Int32) in added[id]?.content ?? model.vocabulary.token(id) }
    let template = processor?.template ?? .plain
    try template.check(top, token: token)
    let count = Swift.max(model.vocabulary.tokens.count, Int(added.largestID) + 1)
    let trimming = processor.flatMap { processor in
      processor.trimming.trims
        ? PlaceTrimming(keepsFirst: processor.trimming.keepsFirst, count: count, added: added, token: token)
        : nil
    }
    return BPETokenizer(
      normalizer: normalizer ?? NormalizerSteps(), preTokenizer: preTokenizer ?? PreTokenizer(), model: model,
      added: added, template: template, trimming: trimming,
      decoder: try top["decoder"].map { node throws(TextError) in try TokenDecoder(node) },
      specialTokens: try SpecialTokens(configuration: configuration, unknown: model.unknown) {
        added.id($0) ?? model.vocabulary.id($0)
      })
  }

  private func readModel(isByteLevel: Bool) throws(TextError) -> BPEModel {
    for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
      guard let affix = model[name], try affix.string() != "" else { continue }
      throw .unsupported(
        path: model.path, key: affix.key, type: try affix.string(), supported: ["no such affix"])
    }
    if let dropout = model["dropout"], dropout.value != .double(0), dropout.value != .int(0) {
      throw .unsupported(path: model.path, key: dropout.key, type: "not 0", supported: ["no dropout"])
    }
    let vocabulary = try Vocabulary(try model.member("vocab"))
    let unknown = try model["unk_token"].map { node throws(TextError) in
      guard let id = vocabulary.id(try node.string()) else { throw node.invalid("a token of the vocabulary") }
      return id
    }
    return BPEModel(
      vocabulary: vocabulary, merges: try readMerges(vocabulary), unknown: unknown,
      fusesUnknown: try model["fuse_unk"]?.bool() ?? false,
      fallsBackToBytes: try model["byte_fallback"]?.bool() ?? false,
      ignoresMerges: try model["ignore_merges"]?.bool() ?? false, isByteLevel: isByteLevel)
  }

  /// Merges are `"a b"` or `["a", "b"]`, the first the most important.
  private func readMerges(_ vocabulary: Vocabulary) throws(TextError) -> MergeTable {
    let node = try model.member("merges")
    guard case .array(let elements) = node.value else { throw node.invalid("an array") }
    var table = MergeTable(count: elements.count)
    for (rank, element) in elements.enumerated() {
      guard let (left, right) = Self.parts(element) else {
        throw .invalidValue(
          path: node.path, key: "\(node.key)[\(rank)]", expected: "two tokens with a space between")
      }
      guard let leftNode = vocabulary.trie.node(left), let leftID = vocabulary.trie.value(at: leftNode),
        let rightID = vocabulary.trie.node(right).flatMap({ vocabulary.trie.value(at: $0) }),
        let id = vocabulary.trie.node(right, from: leftNode).flatMap({ vocabulary.trie.value(at: $0) })
      else {
        throw .invalidValue(
          path: node.path, key: "\(node.key)[\(rank)]",
          expected: "two tokens of the vocabulary that make a third")
      }
      table.add(leftID, rightID, MergeTable.Merge(rank: Int32(rank), id: id))
    }
    return table
  }

  private static func parts(_ element: JSONValue) -> (Substring.UTF8View, Substring.UTF8View)? {
    switch element {
    case .string(let text):
      let bytes = text.utf8
      guard let space = bytes.firstIndex(of: 0x20),
        bytes[bytes.index(after: space)...].firstIndex(of: 0x20) == nil
      else { return nil }
      return (Substring(bytes[..<space]).utf8, Substring(bytes[bytes.index(after: space)...]).utf8)
    case .array(let pair):
      guard pair.count == 2, case .string(let left) = pair[0], case .string(let right) = pair[1] else {
        return nil
      }
      return (left[...].utf8, right[...].utf8)
    default: return nil
    }
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
