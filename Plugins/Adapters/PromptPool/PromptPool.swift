import CPTune
import PTune

/// Prompt pool tuning: K prompts pᵢ of l rows; each sequence x gets its own mixture of them.
///
///     x̄    = the mean of x's word embeddings             [B, H]
///     E(x) = f(W·x̄ + b)                                  [B, H]
///     α    = selector(E(x), keys)                        [B, K]
///     p*   = Σ αᵢ pᵢ,   x' = [p*; x]                     [B·l, H]
///
/// With learned keys, no encoder and a top-k selector this is the prompt pool of L2P (Wang et al. 2022) with the
/// chosen prompts averaged, not concatenated.
final class PromptPool: Adapter {
  let positions: Int
  private let size: Int
  private let pool: Parameter
  private let keys: Parameter?
  private let encoder: QueryEncoder
  private let placement: Placement
  private let pull: Double
  private let dropout: Double

  init(
    poolSize: Int, virtualTokens: Int, keys: String, encoder: String, pull: Double, placement: String,
    initialization: String, deviation: Double, dropout: Double
  ) throws {
    guard let placement = Placement(name: placement) else {
      throw ComponentFailure.badArgument("there is no placement '\(placement)'")
    }
    let hidden = Base.facts.hiddenSize
    try Selection.announce(keys: poolSize, columns: hidden)
    let random = Parameter.Initial.normal(deviation: Float(deviation))
    pool = try Parameter(
      "pool", shape: [poolSize * virtualTokens, hidden],
      initial: initialization == "random" ? random : .sampledVocabulary(poolSize * virtualTokens))
    self.keys = keys == "learned" ? try Parameter("keys", shape: [poolSize, hidden], initial: random) : nil
    self.encoder = try QueryEncoder(encoder)
    (size, positions) = (poolSize, virtualTokens)
    (self.placement, self.pull, self.dropout) = (placement, pull, dropout)
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    let queries = encoder.queries(batch)
    let entries = pool.value
    let keys = keys?.value ?? entries.entryMeans(length: positions)
    let weights = Selection.weights(queries: queries, keys: keys)
    // An entry's l rows as one, so that one product mixes them for all sequences.
    let mixed = weights.matmul(entries.reshaped(rows: size, columns: positions * entries.columns))
    let rows = mixed.reshaped(rows: batch.count * positions, columns: entries.columns)
    try injections.input(rows.dropout(dropout), at: placement, perSequence: true)
    if pull > 0 {
      // The selector's weights say which keys a query chose; only the distance itself is trained.
      let distances = weights.stopGradient() * cosines(queries, keys).affine(scale: -1, shift: 1)
      try injections.addLoss(Float(pull) * distances.sum(over: .columns).mean())
    }
  }

  /// The cosine of each query and each key, `[B, K]`.
  private func cosines(_ queries: Tensor, _ keys: Tensor) -> Tensor {
    func unit(_ rows: Tensor) -> Tensor {
      rows / (rows * rows).sum(over: .columns).affine(scale: 1, shift: 1e-12).squareRoot()
    }
    return unit(queries).matmul(unit(keys), transposedOther: true)
  }
}
