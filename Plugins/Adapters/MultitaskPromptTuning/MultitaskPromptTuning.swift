import PTune

/// Multi-task prompt tuning: tasks share what they have in common and keep what is their own.
///
/// Where the prompt p*_t of a task t comes from depends on the form: a pool that all tasks select from
/// (``SharedPool``), or one prompt that each task modifies (``FactoredPrompt``). x' = [p*_t; x].
final class MultitaskPromptTuning: Adapter {
  let positions: Int
  private let source: any PromptSource
  private let placement: Placement
  private let dropout: Double

  init(
    form: String, virtualTokens: Int, poolSize: Int, privateEntries: Int, taskEmbedding: Bool,
    encoder: String, rank: Int, placement: String, initialization: String, deviation: Double,
    dropout: Double
  ) throws {
    guard let placement = Placement(name: placement) else {
      throw ComponentFailure.badArgument("there is no placement '\(placement)'")
    }
    let start = PromptStart(isRandom: initialization == "random", deviation: Float(deviation))
    source =
      form == "pool"
      ? try SharedPool(
        length: virtualTokens, shared: poolSize, own: privateEntries, taskEmbedding: taskEmbedding,
        encoder: encoder, start)
      : try FactoredPrompt(length: virtualTokens, rank: rank, start)
    (positions, self.placement, self.dropout) = (virtualTokens, placement, dropout)
  }

  func inject(_ batch: Batch, into injections: Injections) throws {
    let (rows, perSequence) = try source.prompts(batch)
    try injections.input(rows.dropout(dropout), at: placement, perSequence: perSequence)
  }
}

/// Makes the prompts of a batch.
protocol PromptSource {
  /// Prompt rows `[l, H]` for all sequences, or `[count·l, H]` where each has its own.
  func prompts(_ batch: Batch) throws -> (rows: Tensor, perSequence: Bool)
}

/// What prompt rows start as.
struct PromptStart {
  let isRandom: Bool
  let deviation: Float

  func rows(_ count: Int) throws -> Parameter.Initial {
    isRandom ? .normal(deviation: deviation) : try .sampledVocabulary(count)
  }
}
