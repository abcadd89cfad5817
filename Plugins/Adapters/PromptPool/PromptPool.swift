import CPTune
import PTune
import PTunePrompts

/// Prompt pool tuning: K prompts pᵢ of l rows; each sequence x gets its own mixture of them.
///
///     x̄    = the mean of x's word embeddings             [B, H]
///     E(x) = f(W·x̄ + b)                                  [B, H]
///     α    = selector(E(x), keys)                        [B, K]
///     p*   = Σ αᵢ pᵢ,   x' = [p*; x]                     [B·l, H]
///
/// At layers a row of a prompt has a part for each layer, which joins that layer's input. With concatenation a
/// sequence gets the rows of the k chosen prompts one after the other, as in L2P (Wang et al. 2022, section 4.1).
final class PromptPool: Adapter {
  enum Site: String, HyperparameterChoice { case input, layers }
  enum Combination: String, HyperparameterChoice { case mixture, concatenation }
  enum Keys: String, HyperparameterChoice { case tied, learned }

  let positions: Int
  let learningRate: Double? = 1e-2
  private let size, length, chosen: Int
  private let site: Site
  private let combination: Combination
  private let pool: Parameter
  private let keys: Parameter?
  private let encoder: QueryEncoder
  private let placement: Placement
  private let pull, diversity, dropout: Double

  init(
    poolSize: Int, virtualTokens: Int, at site: Site, combine: Combination, chosen: Int, keys: Keys,
    encoder: QueryEncoder.Activation, pull: Double, diversity: Double, placement: Placement,
    initialization: PromptInitialization, deviation: Double, dropout: Double
  ) throws {
    let facts = Base.facts
    try Selection.announce(keys: poolSize, columns: facts.hiddenSize)
    let count = poolSize * virtualTokens
    let random = Parameter.Initial.normal(deviation: Float(deviation))
    pool = try Parameter(
      "pool", shape: [count, facts.hiddenSize * (site == .layers ? facts.layers : 1)],
      initial: site == .input
        ? try .inputRows(initialization, count: count, deviation: deviation)
        : initialization == .random
          ? random
          : try LayerPrompts(.hidden, layers: 0..<facts.layers)
            .sampledVocabulary(prompts: poolSize, of: virtualTokens))
    self.keys =
      keys == .learned ? try Parameter("keys", shape: [poolSize, facts.hiddenSize], initial: random) : nil
    self.encoder = try QueryEncoder(encoder)
    (size, length, self.chosen) = (poolSize, virtualTokens, combine == .concatenation ? chosen : 1)
    (self.site, combination, self.placement) = (site, combine, placement)
    (self.pull, self.diversity, self.dropout) = (pull, diversity, dropout)
    positions = site == .input ? self.chosen * virtualTokens : 0
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    let queries = encoder.queries(batch)
    let entries = pool.value
    let means = entries.entryMeans(length: length)
    let keys = keys?.value ?? means.columns(0..<queries.columns)
    let weights = Selection.weights(queries: queries, keys: keys)
    let rows = combination == .mixture ? mixture(weights, entries) : try concatenation(weights, entries)
    try place(rows.dropout(dropout), columns: queries.columns, into: injections)
    if pull > 0 {
      // The selector's weights say which keys a query chose; only the distance itself is trained.
      let distances = weights.stopGradient() * cosines(queries, keys).affine(scale: -1, shift: 1)
      try injections.addLoss(Float(pull) * distances.sum(over: .columns).mean())
    }
    if diversity > 0, size > 1 {
      let others = cosines(means, means) * offDiagonal
      try injections.addLoss(Float(diversity) / Float(size * (size - 1)) * (others * others).sum())
    }
  }

  /// Σ αᵢ pᵢ: an entry's l rows as one, so that one product mixes them for all sequences.
  private func mixture(_ weights: Tensor, _ entries: Tensor) -> Tensor {
    weights.matmul(entries.reshaped(rows: size, columns: length * entries.columns))
      .reshaped(rows: weights.rows * length, columns: entries.columns)
  }

  /// The rows of each sequence's chosen entries, those with a weight, in the pool's order.
  private func concatenation(_ weights: Tensor, _ entries: Tensor) throws -> Tensor {
    let chosen = try weights.values().enumerated().filter { $0.element != 0 }.map { $0.offset }
    for row in 0..<weights.rows {
      let count = chosen.count { $0 / size == row }
      guard count == self.chosen else {
        throw ComponentFailure.badArgument(
          "'combine: concatenation' joins \(self.chosen) entries, but the selector gives weight to \(count); "
            + "use 'selector: {plugin: top-k, k: \(self.chosen)}'")
      }
    }
    return entries.rows(
      at: chosen.flatMap { entry in (0..<length).map { Int32(entry % size * length + $0) } })
  }

  private func place(_ rows: Tensor, columns: Int, into injections: Injections) throws {
    guard site == .layers else { return try injections.input(rows, at: placement, perSequence: true) }
    for layer in 0..<rows.columns / columns {
      let part = rows.columns(layer * columns..<(layer + 1) * columns)
      try injections.hiddenPrefix(part, layer: layer, perSequence: true)
    }
  }

  /// 0 where an entry meets itself, else 1: `[K, K]`.
  private var offDiagonal: Tensor {
    .constant((0..<size * size).map { $0 % (size + 1) == 0 ? 0 : 1 }, rows: size, columns: size)
  }

  /// The cosine of each row of a and each row of b.
  private func cosines(_ a: Tensor, _ b: Tensor) -> Tensor {
    a.unitRows().matmul(b.unitRows(), transposedOther: true)
  }
}
