extension Vocabulary {
  /// Reads `model.vocab` of `tokenizer.json`: an object of tokens and ids.
  init(_ node: JSONNode) throws(TextError) {
    let entries = try node.object()
    self.init(bytes: entries.keys.reduce(0) { $0 + $1.utf8.count })
    for (token, value) in zip(entries.keys, entries.values) {
      guard case .int(let id) = value, (0..<Vocabulary.maximumID).contains(id) else {
        throw .invalidValue(
          path: node.path, key: "\(node.key)[\"\(token)\"]",
          expected: "a whole number below \(Vocabulary.maximumID)")
      }
      // NB: before there is room for all ids up to this one.
      try Vocabulary.checkGaps(
        largest: id, tokens: entries.count, node.path, key: "\(node.key)[\"\(token)\"]")
      add(token, id: Int32(id))
    }
  }

  /// Refuses an id that is far above the number of tokens: each id below it takes memory.
  static func checkGaps(largest id: Int, tokens count: Int, _ path: String, key: String) throws(TextError) {
    let limit = 16 * count + 1 << 16
    guard id < limit else {
      throw .invalidValue(
        path: path, key: key, expected: "an id below \(limit), since there are \(count) tokens, and not \(id)"
      )
    }
  }
}
