import PTune

/// A task head in memory: three classes from one linear layer over a row of each sequence.
public final class TwinHead: TaskHead {
  /// Which row stands for a sequence.
  public enum Reading: Sendable {
    /// That of the text's first token.
    case first
    /// The mean over the text's tokens.
    case mean
  }
  /// A row of scores stands for a sequence.
  public static let scoreRows = ScoreRows.perSequence
  private let reading: Reading
  private let weight: Parameter
  private let bias: Parameter

  /// Declares the layer; to be made while a head is created.
  ///
  /// - Throws: `ComponentFailure` if the host refuses a parameter.
  public init(_ reading: Reading) throws {
    self.reading = reading
    weight = try Parameter("weight", shape: [3, Base.facts.hiddenSize], initial: .normal(deviation: 0.3))
    bias = try Parameter("bias", shape: [3], initial: .zeros)
  }

  /// The class of a row is the number in its field "label".
  public func encode(_ example: Example, into targets: Targets) throws {
    guard let label = example.field("label").flatMap(Int32.init), (0..<3).contains(label) else {
      throw ComponentFailure.badArgument("the label is not 0, 1 or 2")
    }
    try targets.emit([label])
  }

  /// Scores `[sequences, 3]`.
  public func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    let text = try batch.textRows()
    let rows =
      switch reading {
      case .first: hidden.rows(at: batch.offsets.dropLast().map { text[Int($0)] })
      case .mean: hidden.meanRows(at: text, offsets: batch.offsets)
      }
    return rows.linear(weight.value, bias: bias.value)
  }

  /// Mean cross-entropy.
  public func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    scores.crossEntropy(batch.integerTargets)
  }

  /// The class with the highest score.
  public func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    try prediction.put(Double(best(scores[0])), as: "label")
  }

  /// The share of examples whose best class is the right one.
  public func measure(_ evaluation: Evaluation) throws {
    let right = (0..<evaluation.count).filter {
      evaluation.integers($0).first == Int32(best(evaluation.scores($0)[0]))
    }
    try evaluation.state("accuracy", Double(right.count) / Double(max(1, evaluation.count)))
  }

  private func best(_ row: Slice<UnsafeBufferPointer<Float>>) -> Int {
    (row.indices.max { row[$0] < row[$1] } ?? row.startIndex) - row.startIndex
  }
}
