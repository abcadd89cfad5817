import PTune
import PTuneLayers

/// What scores the vocabulary at a hidden row, the masked language model's own head (Devlin et al. 2019, section
/// 3.1): linear, activation, norm, then a product with the output table, plus a bias. The table is the word embeddings'
/// unless config.json unties them or the checkpoint stores another one.
struct VocabularyHead {
  private let transform: FrozenLinear
  private let activation: Activation
  private let norm: Norm
  private let table: Tensor
  private let bias: Tensor

  /// Reads its weights.
  ///
  /// - Throws: `ComponentFailure` for a weight of another shape, or for one that is missing beside the others.
  init(_ names: EncoderLayout.VocabularyNames, wordTable: Tensor, facts: BaseFacts, epsilon: Double) throws {
    let size = facts.hiddenSize
    transform = try FrozenLinear(names.transform, size, size)
    activation = try names.activation.map { try Activation(key: $0) } ?? .gelu
    norm = try Norm(names.norm, size, epsilon)
    let isTied = try Checkpoint.boolean("tie_word_embeddings", default: true)
    table =
      isTied && !Checkpoint.hasWeight(names.table)
      ? wordTable : try Checkpoint.weight(names.table, rows: facts.vocabularySize, columns: size)
    bias = try Checkpoint.weight(names.bias, columns: facts.vocabularySize)
  }

  /// `[rows, hidden] -> [rows, vocabulary]`
  func callAsFunction(_ rows: Tensor) -> Tensor {
    let transformed = activation(rows.linear(transform.weight, bias: transform.bias))
    return norm(transformed).linear(table, bias: bias)
  }
}
