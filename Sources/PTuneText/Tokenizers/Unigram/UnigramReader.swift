import PTuneFormats

/// Reads a unigram model out of `tokenizer.json`: `vocab` is a list of tokens and log probabilities, whose places are
/// the ids.
struct UnigramReader {
  let model: JSONNode

  func read() throws(TextError) -> UnigramModel {
    let node = try model.member("vocab")
    guard case .array(let entries) = node.value else { throw node.invalid("an array") }
    guard entries.count < Vocabulary.maximumID else {
      throw node.invalid("fewer than \(Vocabulary.maximumID) tokens")
    }
    var vocabulary = Vocabulary(bytes: entries.count * 6)
    var scores: [Double] = []
    for (id, entry) in entries.enumerated() {
      guard case .array(let pair) = entry, pair.count == 2, case .string(let token) = pair[0],
        let score = pair[1].doubleValue, score.isFinite
      else {
        throw .invalidValue(
          path: node.path, key: "\(node.key)[\(id)]", expected: "a token and its log probability")
      }
      vocabulary.add(token, id: Int32(id))
      scores.append(score)
    }
    let unknown = try model["unk_id"].map { node throws(TextError) in
      let id = try node.tokenID()
      guard Int(id) < scores.count else { throw node.invalid("the place of a token of vocab") }
      return id
    }
    return UnigramModel(
      vocabulary: vocabulary, scores: scores, unknown: unknown,
      fallsBackToBytes: try model["byte_fallback"]?.bool() ?? false)
  }
}
