import PTune
import PTunePrompts

/// Multi-task prompt tuning: tasks share what they have in common and keep what is their own.
///
/// Where the prompt p*_t of a task t comes from depends on the form: a pool that all tasks select from
/// (``SharedPool``), or one prompt that each task modifies (``FactoredPrompt``). x' = [p*_t; x].
final class MultitaskPromptTuning: Adapter {
  enum Form: String, HyperparameterChoice { case pool, factors }

  let positions: Int
  let learningRate: Double? = 1e-2
  private let source: any PromptSource
  private let placement: Placement
  private let dropout: Double

  init(
    form: Form, virtualTokens: Int, poolSize: Int, privateEntries: Int, taskEmbedding: Bool,
    encoder: QueryEncoder.Activation, rank: Int, placement: Placement,
    initialization: PromptInitialization, deviation: Double, dropout: Double
  ) throws {
    let start = PromptStart(initialization: initialization, deviation: deviation)
    source =
      form == .pool
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
  let initialization: PromptInitialization
  let deviation: Double

  func rows(_ count: Int) throws -> Parameter.Initial {
    try .inputRows(initialization, count: count, deviation: deviation)
  }
}
