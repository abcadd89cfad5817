import PTuneFormats

/// Reads the model of a byte-pair encoding out of `tokenizer.json`.
struct BPEReader {
  let model: JSONNode

  func read(isByteLevel: Bool) throws(TextError) -> BPEModel {
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
      guard table.add((left, right), rank: rank, vocabulary) else {
        throw .invalidValue(
          path: node.path, key: "\(node.key)[\(rank)]",
          expected: "two tokens of the vocabulary that make a third")
      }
    }
    return table
  }

  /// The two tokens of a merge.
  static func parts(_ element: JSONValue) -> (Substring.UTF8View, Substring.UTF8View)? {
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
}

extension MergeTable {
  /// Adds a merge of two tokens by their text; false if they or what they make are not in the vocabulary.
  mutating func add(
    _ parts: (left: Substring.UTF8View, right: Substring.UTF8View), rank: Int, _ vocabulary: Vocabulary
  ) -> Bool {
    let trie = vocabulary.trie
    guard let leftNode = trie.node(parts.left), let left = trie.value(at: leftNode),
      let right = trie.node(parts.right).flatMap({ trie.value(at: $0) }),
      let id = trie.node(parts.right, from: leftNode).flatMap({ trie.value(at: $0) })
    else { return false }
    add(left, right, Merge(rank: Int32(rank), id: id))
    return true
  }
}
