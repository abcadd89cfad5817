import PTune

/// The scores of a causal model over its vocabulary: `lm_head`, or the word embeddings where they are tied to it.
public struct VocabularyScores {
  private static let output = "lm_head.weight"
  private let table: Tensor?

  /// Finds the table `[vocabulary, hidden]`; a checkpoint of the bare model or of a classifier may lack it.
  ///
  /// A checkpoint may say that it ties both and store another output all the same; then the stored one counts, as in
  /// transformers 5.
  ///
  /// - Parameter tied: whether the family ties its word embeddings where config.json does not say.
  /// - Throws: `ComponentFailure` if `lm_head.weight` has another shape.
  public init(wordTable: Tensor, facts: BaseFacts, tied: Bool) throws {
    if Checkpoint.hasWeight(Self.output) {
      table = try Checkpoint.weight(Self.output, rows: facts.vocabularySize, columns: facts.hiddenSize)
    } else {
      table = try Checkpoint.boolean("tie_word_embeddings", default: tied) ? wordTable : nil
    }
  }

  /// The word embeddings `[vocabulary, hidden]` of a causal model; of a checkpoint that ties them to its output and
  /// stores them as that alone, the output.
  ///
  /// - Throws: `ComponentFailure` if there are none, or of another shape.
  public static func wordTable(_ name: String, facts: BaseFacts, tied: Bool) throws -> Tensor {
    try tiedTable(name, output: output, facts: facts, tied: tied)
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

/// The word embeddings `[vocabulary, hidden]`, or the output of that name where a checkpoint that ties both stores the
/// output alone.
///
/// - Parameter tied: whether the family ties them where config.json does not say.
/// - Throws: `ComponentFailure` if there are none, or of another shape.
public func tiedTable(_ name: String, output: String, facts: BaseFacts, tied: Bool) throws -> Tensor {
  let isStored =
    try Checkpoint.hasWeight(name) || !Checkpoint.hasWeight(output)
    || !Checkpoint.boolean("tie_word_embeddings", default: tied)
  return try Checkpoint.weight(
    isStored ? name : output, rows: facts.vocabularySize, columns: facts.hiddenSize)
}
