import CPTune
import PTune

/// The k most similar entries of a pool, for each sequence by itself (Wang et al. 2022, "Learning to Prompt",
/// section 4.2); all others get the weight 0.
final class TopK: Selector {
  enum Similarity: String, HyperparameterChoice { case cosine, dot }
  enum Weights: String, HyperparameterChoice {
    case softmax
    case straightThrough = "straight-through"
  }

  private let k: Int
  private let similarity: Similarity
  private let kind: Weights
  private let temperature: Double
  private let frequencyPenalty: Bool

  init(
    k: Int, similarity: Similarity, weights kind: Weights, temperature: Double, frequencyPenalty: Bool
  ) throws {
    guard !frequencyPenalty || similarity == .cosine else {
      throw ComponentFailure.unsupported(
        "'frequency_penalty' scales distances 1 - cos, so it needs 'similarity: cosine'")
    }
    self.k = k
    self.similarity = similarity
    self.kind = kind
    self.temperature = temperature
    self.frequencyPenalty = frequencyPenalty
  }

  func weights(_ batch: Batch, queries: Tensor, keys: Tensor) throws -> Tensor {
    guard k <= keys.rows else {
      throw ComponentFailure.badArgument("k is \(k), but the pool has \(keys.rows) entries")
    }
    let (queries, keys) = similarity == .cosine ? (queries.unitRows(), keys.unitRows()) : (queries, keys)
    let similarities = queries.matmul(keys, transposedOther: true)
    let chosen = try chosen(similarities, isTraining: batch.isTraining)
    let scores = Float(1 / temperature) * similarities
    if kind == .straightThrough {
      // Forward 1/k for each chosen entry, backward as if it were the softmax (Bengio et al. 2013).
      let soft = scores.softmax()
      return soft + (Float(1) / Float(k) * chosen - soft).stopGradient()
    }
    // e⁻¹ᵉ⁹ is 0 in single precision.
    return (scores + chosen.affine(scale: 1e9, shift: -1e9)).softmax()
  }

  /// 1 where an entry is among the k nearest of its row, else 0. Of equal ones the first one counts.
  private func chosen(_ similarities: Tensor, isTraining: Bool) throws -> Tensor {
    let (rows, columns) = similarities.shape
    let penalised = frequencyPenalty && isTraining
    let counts = penalised ? try TrainingState.values("chosen", count: columns) : nil
    let penalties = counts.map(penalties)
    let distances = try similarities.values().enumerated().map { index, similarity in
      penalties.map { (1 - similarity) * $0[index % columns] } ?? -similarity
    }
    var chosen = [Float](repeating: 0, count: distances.count)
    for start in stride(from: 0, to: distances.count, by: max(1, columns)) {
      let order = (start..<start + columns).sorted { (distances[$0], $0) < (distances[$1], $1) }
      for index in order.prefix(k) {
        chosen[index] = 1
        counts?[index - start] += 1
      }
    }
    return .constant(chosen, rows: rows, columns: columns)
  }

  /// How often each entry was chosen so far, as a share, with one choice of each to begin with.
  private func penalties(_ counts: UnsafeMutableBufferPointer<Float>) -> [Float] {
    // Single precision counts to 2²⁴: long before that the past loses half its weight.
    if counts.reduce(0, +) > 4_000_000 { for index in counts.indices { counts[index] /= 2 } }
    let total = counts.reduce(Float(counts.count), +)
    return counts.map { ($0 + 1) / total }
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.top-k", version: Release.version) {
    [
      .selector(
        "top-k", summary: "the k entries whose keys are most similar to the query",
        documentation: """
          Chooses k entries of a pool for each sequence by itself, as L2P does (Wang et al. 2022, \
          https://arxiv.org/abs/2112.08654), never by majority in the batch.

          `softmax` weighs the chosen ones by a softmax over their similarities. `straight-through` gives each \
          of them 1/k, while gradients flow as if a softmax over all entries had been taken, so entries that \
          were not chosen learn too.

          With `frequency_penalty` entries are chosen in training by (1 - cos)·h, h being the share of all \
          choices that an entry had so far, so that all of them get their turn (section 4.2 of the paper, whose \
          h counts the tasks before). Weights stay those of the similarities, and evaluation chooses without it.

          Choosing has no gradient: add the adapter's pull loss, so that keys move towards the queries for which they are chosen.
          """,
        .integer("k", default: 5, in: 1...4096, "how many entries a sequence gets"),
        .choice(
          "similarity", default: TopK.Similarity.cosine, "the similarity of a query and a key"),
        .choice(
          "weights", default: TopK.Weights.softmax, "the weights of the chosen entries"),
        .number(
          "temperature", default: 1.0, in: 1e-4...1e4,
          "similarities are divided by it; cosines differ little, so below 1 they differ more"),
        .flag(
          "frequency_penalty", default: false,
          "in training, scale each entry's distance by how often it has been chosen"),
        make: TopK.init)
    ]
  }
}
