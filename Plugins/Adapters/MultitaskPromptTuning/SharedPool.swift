import PTune
import PTunePrompts

/// A pool of K prompts pᵢ that all tasks share, perhaps with m more for each task alone:
///
///     E(x)  = f(W·x̄ + b) + e_t           e_t: an embedding of the task, where asked for
///     S_t   = selector(E(x), keys)        over the K shared and the task's m own entries
///     p*_t  = Σ S_t,i·pᵢ
struct SharedPool: PromptSource {
  private let length: Int
  private let pool: Parameter
  /// Each task's own entries; empty if they have none.
  private let own: [Parameter]
  /// Each task's embedding; empty if tasks are told apart by the selector.
  private let embeddings: [Parameter]
  private let encoder: QueryEncoder

  init(
    length: Int, shared: Int, own: Int, taskEmbedding: Bool, encoder: QueryEncoder.Activation,
    _ start: PromptStart
  ) throws {
    let hidden = Base.facts.hiddenSize
    self.length = length
    try Selection.announce(keys: shared + own, columns: hidden)
    pool = try Parameter("pool", shape: [shared * length, hidden], initial: start.rows(shared * length))
    self.own =
      own == 0
      ? []
      : try Tasks.names.map {
        try Parameter("tasks.\($0).pool", shape: [own * length, hidden], initial: start.rows(own * length))
      }
    embeddings =
      taskEmbedding
      ? try Tasks.names.map {
        try Parameter("tasks.\($0).embedding", shape: [1, hidden], initial: .normal(deviation: 0.02))
      } : []
    self.encoder = try QueryEncoder(encoder)
  }

  func prompts(_ batch: Batch) -> (rows: Tensor, perSequence: Bool) {
    let queries = encoder.queries(batch)
    let mixed = batch.taskRanges.map { task, sequences -> Tensor in
      let entries = own.isEmpty ? pool.value : .concatenatingRows([pool.value, own[task].value])
      let text = queries.rows(sequences)
      let weights = Selection.weights(
        queries: embeddings.isEmpty ? text : text + embeddings[task].value,
        keys: entries.entryMeans(length: length), first: sequences.lowerBound)
      // An entry's l rows as one, so that one product mixes them for all sequences.
      return weights.matmul(
        entries.reshaped(rows: entries.rows / length, columns: length * entries.columns))
    }
    let rows = Tensor.concatenatingRows(mixed)
    return (rows.reshaped(rows: batch.count * length, columns: rows.columns / length), true)
  }
}
