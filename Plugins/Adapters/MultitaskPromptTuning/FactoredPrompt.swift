import PTune

/// One prompt P* `[l, H]` for all tasks, which each task multiplies elementwise by a matrix of low rank (Wang et al. 2023,
/// section 3.1): P_t = P* ∘ (U_t·V_t) with U_t `[l, r]` and V_t `[r, H]`.
///
/// U_t·V_t starts near a matrix of ones, so that each task starts with the shared prompt.
struct FactoredPrompt: PromptSource {
  private let length: Int
  private let prompt: Parameter
  private let factors: [(columns: Parameter, rows: Parameter)]

  init(length: Int, rank: Int, _ start: PromptStart) throws {
    let hidden = Base.facts.hiddenSize
    self.length = length
    prompt = try Parameter("prompt_embeddings", shape: [length, hidden], initial: start.rows(length))
    factors = try Tasks.names.map { name in
      (
        try Parameter(
          "tasks.\(name).columns", shape: [length, rank],
          initial: .normal(mean: 1 / Float(rank), deviation: 0.02)),
        try Parameter(
          "tasks.\(name).rows", shape: [rank, hidden], initial: .normal(mean: 1, deviation: 0.02))
      )
    }
  }

  func prompts(_ batch: Batch) -> (rows: Tensor, perSequence: Bool) {
    let ranges = batch.taskRanges
    let prompts = ranges.map {
      prompt.value * factors[$0.task].columns.value.matmul(factors[$0.task].rows.value)
    }
    // The sequences of one task share its prompt.
    if prompts.count == 1 { return (prompts[0], false) }
    let places = ranges.indices.flatMap { part in
      ranges[part].sequences.flatMap { _ in (part * length..<(part + 1) * length).map(Int32.init) }
    }
    return (Tensor.concatenatingRows(prompts).rows(at: places), true)
  }
}
