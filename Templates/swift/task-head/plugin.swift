import CPTune
import PTune

/// __NAME__: gives each text one of some labels:
///
///     scores = W·(mean of the text's hidden rows) + b,   loss = mean cross-entropy
///
/// Change the maths in `scores` and `loss`, what rows mean in `encode` and `predict`, the hyperparameters below, and
/// tests/parity.py.
final class __TYPE__: TaskHead {
  static let scoreRows = ScoreRows.perSequence
  private let labels: [String]
  private let weight: Parameter
  private let bias: Parameter

  /// Where a run leaves `labels` empty, ptune fills in those of the training data.
  init(labels: [String]) throws {
    guard labels.count >= 2 else { throw ComponentFailure.badArgument("it needs two labels or more") }
    self.labels = labels
    weight = try Parameter(
      "weight", shape: [labels.count, Base.facts.hiddenSize], initial: .normal(deviation: 0.02))
    bias = try Parameter("bias", shape: [labels.count], initial: .zeros)
  }

  /// The target of a row is the number of its label.
  func encode(_ example: Example, into targets: Targets) throws {
    guard let label = example.field("label") else {
      throw ComponentFailure.badArgument("the row has no label")
    }
    guard let index = labels.firstIndex(of: label) else {
      throw ComponentFailure.badArgument("label '\(label)' is not one of the labels")
    }
    try targets.emit([Int32(index)])
  }

  /// Scores [sequences, labels] from hidden rows [rows, hidden].
  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    let means = hidden.meanRows(at: try batch.textRows(), offsets: batch.offsets)
    return means.linear(weight.value, bias: bias.value)
  }

  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor { scores.crossEntropy(batch.integerTargets) }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    try prediction.put(.text(labels[best(scores[0])]), as: "label")
  }

  func measure(_ evaluation: Evaluation) throws {
    let right = (0..<evaluation.count).filter {
      evaluation.integers($0).first == Int32(best(evaluation.scores($0)[0]))
    }
    try evaluation.state("accuracy", Double(right.count) / Double(max(1, evaluation.count)))
  }

  private func best(_ row: Slice<UnsafeBufferPointer<Float>>) -> Int {
    (row.indices.max { row[$0] < row[$1] } ?? row.startIndex) - row.startIndex
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "org.example.__NAME__", version: "1.0.0") {
    [
      .taskHead(
        "__NAME__", summary: "one of some labels, from the mean of a text's rows",
        documentation: "Trains a linear layer on the mean of a text's hidden rows. Reports accuracy.",
        .texts("labels", default: [], "the labels; those of the training data if none are given"),
        make: __TYPE__.init)
    ]
  }
}
