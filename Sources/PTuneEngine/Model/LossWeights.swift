import PTune

/// How much the loss of each task counts beside those of the others: L = Σ αₜ·Lₜ.
///
/// Learned weights follow Kendall, Gal & Cipolla (2018, section 3.2): each task has an observation noise σₜ² that is
/// trained with the adapter, and L = Σ αₜ·Lₜ/σₜ² + ln σₜ, of which the second term keeps the noise from growing. What is
/// trained is sₜ = ln σₜ², which starts at 0.
struct LossWeights {
  private let fixed: [Float]
  private let logVariances: TrainableParameter?

  init(_ weights: [Double], learned: Bool, _ session: Session) {
    fixed = weights.map(Float.init)
    logVariances =
      learned
      ? TrainableParameter(owner: "training", name: "log_variances", shape: [weights.count]) : nil
    if let logVariances { _ = session.add(logVariances) }
  }

  /// What a task's loss `[1, 1]` adds to that of a batch of which `share` of the examples are the task's.
  func weighted(_ loss: Tensor, task: Int, share: Float, _ session: Session) -> Tensor {
    let scaled = (share * fixed[task]) * loss
    guard let logVariances else { return scaled }
    let all = Tensor(handle: session.handle(for: session.leaf(logVariances)))
    let logVariance = all.columns(task..<task + 1)
    return scaled * (-1 * logVariance).exp() + (share / 2) * logVariance
  }
}
