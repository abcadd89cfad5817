import PTuneFormats
import PTuneText

/// How often each token occurs in the training data; counted when it is asked for.
package struct TokenCounts {
  private var rows: [TokenizedRow] = []

  /// No tokens yet.
  package init() {}

  package mutating func add(_ rows: [TokenizedRow]) { self.rows += rows }

  private func counts(_ tokenizer: any Tokenizer) -> [Int32: Int] {
    var counts: [Int32: Int] = [:]
    func add(_ pieces: [TokenPiece]) { for piece in pieces { counts[piece.id, default: 0] += 1 } }
    for row in rows {
      switch row.content {
      case .pieces(let first, let second), .continued(let first, let second, end: _, isJoined: _):
        add(first)
        add(second ?? [])
      case .templated(let text):
        for id in text.fieldIDs { counts[id, default: 0] += 1 }
      case .chat(let texts): for text in texts { add(text.pieces) }
      case .tokens(let given):
        for id in given.ids { counts[id, default: 0] += 1 }
      case .fields:
        // What has no blank is an id or a name rather than a text.
        for (name, value) in row.fields where name != "label" && value.utf8.contains(0x20) {
          for text in JSONValue.texts(value) ?? [value] { add(tokenizer.pieces(text)) }
        }
      }
    }
    return counts
  }

  /// The most frequent tokens, at most `limit`; without any the ordinary tokens of the vocabulary in order.
  ///
  /// - Parameter size: the ids that the model has rows for; nil for all.
  func mostFrequent(_ limit: Int, tokenizer: any Tokenizer, below size: Int? = nil) -> [Int32] {
    let size = min(size ?? .max, tokenizer.vocabularySize)
    let counts = counts(tokenizer).filter { $0.key < size }
    guard !counts.isEmpty else {
      let special = tokenizer.specialTokens.all
      return Array(
        (0..<Int32(size)).lazy.filter {
          !special.contains($0) && tokenizer.token($0).map { !$0.hasPrefix("[unused") } ?? false
        }.prefix(limit))
    }
    // Equal counts in the order of ids, so that the result is the same every time.
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(limit).map(\.key)
  }
}

extension SpecialTokens {
  /// All ids that are set.
  var all: Set<Int32> {
    Set([classification, separator, padding, mask, unknown, beginning, end].compactMap { $0 })
  }
}
