/// Which hidden row stands for a text.
public enum Pooling: String, CaseIterable, Sendable {
  /// The very first row, a virtual token under an input prompt.
  case first
  /// The text's first token, wherever it stands.
  case cls
  /// The mean over the text's own tokens.
  case mean
  /// The text's last token.
  case last

  /// One row for each sequence: `[rows, hidden]` -> `[sequences, hidden]`. For heads only.
  ///
  /// - Throws: `ComponentFailure` where hidden rows are not known yet.
  public func rows(of hidden: Tensor, _ batch: Batch) throws -> Tensor {
    let text = try batch.textRows()
    let offsets = batch.offsets
    switch self {
    case .first: return hidden.rows(at: try batch.firstRows())
    case .cls: return hidden.rows(at: offsets.dropLast().map { text[Int($0)] })
    case .last: return hidden.rows(at: offsets.dropFirst().map { text[Int($0) - 1] })
    case .mean: return hidden.meanRows(at: text, offsets: offsets)
    }
  }
}
