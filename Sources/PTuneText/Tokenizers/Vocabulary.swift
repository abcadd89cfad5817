/// Tokens by id and ids by token.
struct Vocabulary: Sendable {
  /// Token of each id; nil where the vocabulary leaves a gap.
  private(set) var tokens: [String?] = []
  /// Ids by the tokens' bytes.
  private(set) var trie: ByteTrie

  /// Ids above this are refused when a file is read: they would make a damaged file fill the memory.
  static let maximumID = 1 << 24

  /// A vocabulary with room for `bytes` bytes of tokens.
  init(bytes: Int) { trie = ByteTrie(edges: bytes / 2) }

  /// Sets the token of an id; of two ids with one token, the later is found by the token.
  mutating func add(_ token: String, id: Int32) {
    if tokens.count <= Int(id) {
      tokens.append(contentsOf: repeatElement(nil, count: Int(id) + 1 - tokens.count))
    }
    tokens[Int(id)] = token
    trie.insert(token.utf8, value: id)
  }

  /// The token of an id.
  func token(_ id: Int32) -> String? { tokens.indices.contains(Int(id)) ? tokens[Int(id)] : nil }

  /// The id of a token.
  func id(_ token: String) -> Int32? { id(token.utf8) }

  /// The id of a token by its bytes.
  func id(_ token: some Sequence<UInt8>) -> Int32? { trie.node(token).flatMap { trie.value(at: $0) } }
}
