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
      add(token, id: Int32(id))
    }
  }
}
