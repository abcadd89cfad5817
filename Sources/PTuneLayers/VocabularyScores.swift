import PTune

/// The scores of a causal model over its vocabulary: `lm_head`, or the word embeddings where they are tied to it.
public struct VocabularyScores {
  private let table: Tensor?

  /// Finds the table `[vocabulary, hidden]`; a checkpoint of the bare model or of a classifier may lack it.
  ///
  /// - Parameter tied: whether the family ties its word embeddings where config.json does not say.
  /// - Throws: `ComponentFailure` if `lm_head.weight` has another shape.
  public init(wordTable: Tensor, facts: BaseFacts, tied: Bool) throws {
    if try Checkpoint.boolean("tie_word_embeddings", default: tied) {
      table = wordTable
    } else if Checkpoint.hasWeight("lm_head.weight") {
      table = try Checkpoint.weight("lm_head.weight", rows: facts.vocabularySize, columns: facts.hiddenSize)
    } else {
      table = nil
    }
  }

  /// `[n, hidden] -> [n, vocabulary]`
  ///
  /// - Throws: `ComponentFailure` where the checkpoint has none.
  public func callAsFunction(_ rows: Tensor) throws -> Tensor {
    guard let table else {
      throw ComponentFailure.unsupported(
        "the checkpoint has no lm_head.weight, and config.json does not tie it to the word embeddings")
    }
    return rows.linear(table)
  }
}
