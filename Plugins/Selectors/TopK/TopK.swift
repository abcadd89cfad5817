import CPTune
import PTune

/// The k most similar entries of a pool, for each sequence by itself (Wang et al. 2022, "Learning to Prompt",
/// section 4.2); all others get the weight 0.
final class TopK: Selector {
  private let k: Int
  private let isCosine: Bool
  private let isStraightThrough: Bool
  private let temperature: Double

  init(k: Int, similarity: String, weights: String, temperature: Double) {
    self.k = k
    isCosine = similarity == "cosine"
    isStraightThrough = weights == "straight-through"
    self.temperature = temperature
  }

  func weights(_ batch: Batch, queries: Tensor, keys: Tensor) throws -> Tensor {
    guard k <= keys.rows else {
      throw ComponentFailure.badArgument("k is \(k), but the pool has \(keys.rows) entries")
    }
    let (queries, keys) = isCosine ? (unit(queries), unit(keys)) : (queries, keys)
    let scores = Float(1 / temperature) * queries.matmul(keys, transposedOther: true)
    let chosen = try largest(scores)
    if isStraightThrough {
      // Forward 1/k for each chosen entry, backward as if it were the softmax (Bengio et al. 2013).
      let soft = scores.softmax()
      return soft + (Float(1) / Float(k) * chosen - soft).stopGradient()
    }
    // e⁻¹ᵉ⁹ is 0 in single precision.
    return (scores + chosen.affine(scale: 1e9, shift: -1e9)).softmax()
  }

  /// Rows of length 1; a row of zeros stays one.
  private func unit(_ rows: Tensor) -> Tensor {
    rows / (rows * rows).sum(over: .columns).affine(scale: 1, shift: 1e-12).squareRoot()
  }

  /// 1 where a score is among the k largest of its row, else 0. Of equal scores the first one counts.
  private func largest(_ scores: Tensor) throws -> Tensor {
    let (rows, columns) = scores.shape
    let values = try scores.values()
    var chosen = [Float](repeating: 0, count: values.count)
    for start in stride(from: 0, to: values.count, by: max(1, columns)) {
      let order = (start..<start + columns).sorted { (values[$0], $1) > (values[$1], $0) }
      for index in order.prefix(k) { chosen[index] = 1 }
    }
    return .constant(chosen, rows: rows, columns: columns)
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.top-k", version: "0.1.0") {
    [
      .selector(
        "top-k", summary: "the k entries whose keys are most like the query",
        documentation: """
          Chooses k entries of a pool for each sequence by itself, as L2P does (Wang et al. 2022, \
          https://arxiv.org/abs/2112.08654), and never by a majority of the batch.

          `softmax` weighs the chosen ones by a softmax over their similarities. `straight-through` gives each \
          of them 1/k, while gradients flow as if a softmax over all entries had been taken, so entries that \
          were not chosen learn too.

          Choosing has no gradient: add the adapter's pull loss, so that keys move to the queries they serve.
          """,
        .integer("k", default: 5, in: 1...4096, "how many entries a sequence gets"),
        .choice(
          "similarity", of: ["cosine", "dot"], default: "cosine", "how alike a query and a key are"),
        .choice(
          "weights", of: ["softmax", "straight-through"], default: "softmax",
          "what the chosen entries weigh"),
        .number(
          "temperature", default: 1.0, in: 1e-4...1e4,
          "similarities are divided by it; cosines differ little, so below 1 tells them apart more"),
        make: TopK.init)
    ]
  }
}
