/// The merges that SentencePiece's scores come to: any two tokens merge whose texts together are a third, the one with the
/// highest score first, of equal ones the leftmost.
enum SentencePieceMerges {
  /// - Parameter isOrdinary: whether a token may come of a merge.
  static func table(
    _ tokens: [String], _ vocabulary: Vocabulary, _ scores: [Double], _ isOrdinary: (Int) -> Bool
  ) -> MergeTable {
    let order = tokens.indices.filter { isOrdinary($0) && tokens[$0].unicodeScalars.count > 1 }
      .sorted { (scores[$1], $0) < (scores[$0], $1) }
    // Two tokens of each merge at least, and mostly few more.
    var found: [(left: Int32, right: Int32, merge: MergeTable.Merge)] = []
    var (rank, score) = (Int32(-1), Double.infinity)
    for id in order {
      // Vocabulary.id goes by text, of which there may be two: what it finds is what stands for the text.
      guard vocabulary.id(tokens[id]) == Int32(id) else { continue }
      if rank < 0 || scores[id] < score { (rank, score) = (rank + 1, scores[id]) }
      let text = Array(tokens[id].utf8)
      for cut in 1..<text.count where text[cut] & 0xC0 != 0x80 {
        guard let left = vocabulary.id(text[..<cut]), let right = vocabulary.id(text[cut...]) else {
          continue
        }
        found.append((left, right, MergeTable.Merge(rank: rank, id: Int32(id))))
      }
    }
    var table = MergeTable(count: found.count)
    for (left, right, merge) in found { table.add(left, right, merge) }
    return table
  }
}
