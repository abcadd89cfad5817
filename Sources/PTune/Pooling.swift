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

  /// What a head's hyperparameter `pooling` may be: the choice by the base model, or one of these.
  public static let names = ["automatic"] + allCases.map(\.rawValue)

  /// The pooling that a hyperparameter names; `automatic` is the mean on an encoder, and on a causal model the last
  /// token, which alone has seen the whole text.
  ///
  /// - Throws: `ComponentFailure` for one that makes no sense on the base model, or that there is not.
  public init(named name: String) throws {
    let isCausal = Base.facts.causal
    guard name != "automatic" else {
      self = isCausal ? .last : .mean
      return
    }
    guard let pooling = Pooling(rawValue: name) else {
      throw ComponentFailure.badArgument("there is no pooling '\(name)'")
    }
    guard !isCausal || ![.first, .cls].contains(pooling) else {
      throw ComponentFailure.unsupported(
        "pooling '\(name)' reads a row that has not seen the text in a causal model; use last or mean")
    }
    self = pooling
  }

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
