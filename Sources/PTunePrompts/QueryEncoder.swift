import PTune

/// What a pooled adapter asks its selector with: E(x) = f(W·x̄ + b) of the mean x̄ of a sequence's frozen word
/// embeddings, special tokens such as [CLS] included, `[count, hidden]`. Where a text is to be continued, x̄ is the mean
/// of what precedes the continuation, since generation knows no more.
///
/// W starts as the identity and b as zero, so that queries start as the text's own mean (or f of it), which already
/// tells texts apart; a random W would first have to find that again.
public struct QueryEncoder {
  /// The f of E(x) = f(W·x̄ + b).
  public enum Activation: String, HyperparameterChoice {
    /// The query is x̄ itself.
    case none
    /// f(x) = x
    case identity
    /// f(x) = max(0, x)
    case relu
    /// f(x) = tanh x
    case tanh
  }

  private let activation: Activation
  private let layer: (weight: Parameter, bias: Parameter)?

  /// The hyperparameter that chooses f, as pooled adapters have it.
  public static func hyperparameter(default value: Activation) -> Hyperparameter<Activation> {
    .choice(
      "encoder", default: value, "the f of E(x) = f(W·x̄ + b); none: the query is x̄ itself")
  }

  /// Declares W `[hidden, hidden]` and b `[hidden]` as `encoder.weight` and `encoder.bias`; nothing for `none`.
  ///
  /// - Throws: `ComponentFailure` if the host refuses one.
  public init(_ activation: Activation) throws {
    self.activation = activation
    guard activation != .none else {
      layer = nil
      return
    }
    let size = Base.facts.hiddenSize
    let identity = (0..<size * size).map { Float($0 % (size + 1) == 0 ? 1 : 0) }
    layer = (
      try Parameter("encoder.weight", shape: [size, size], initial: .values(identity)),
      try Parameter("encoder.bias", shape: [size], initial: .zeros)
    )
  }

  /// A query for each sequence of the batch, `[count, hidden]`.
  public func queries(_ batch: Batch) -> Tensor {
    let text = meanRows(batch)
    guard let layer else { return text }
    let rows = text.linear(layer.weight.value, bias: layer.bias.value)
    return switch activation {
    case .relu: rows.relu()
    case .tanh: rows.tanh()
    case .none, .identity: rows
    }
  }

  private func meanRows(_ batch: Batch) -> Tensor {
    let (offsets, ends) = (batch.offsets, batch.contextEnds)
    if ends.elementsEqual(offsets.dropFirst()) {
      return Base.wordTable.meanRows(at: batch.tokens, offsets: offsets)
    }
    let tokens = batch.tokens
    let known = ends.indices.map { tokens[Int(offsets[$0])..<Int(ends[$0])] }
    return Base.wordTable.meanRows(
      at: known.flatMap { $0 },
      offsets: known.reduce(into: [0]) { $0.append($0[$0.count - 1] + Int32($1.count)) })
  }
}

extension Tensor {
  /// The mean of each entry of a pool that keeps `length` rows for an entry: `[rows / length, columns]`. They serve as
  /// keys that are tied to the pool.
  public func entryMeans(length: Int) -> Tensor {
    meanRows(
      at: Array(0..<Int32(rows)), offsets: stride(from: 0, through: rows, by: length).map { Int32($0) })
  }
}
