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

  /// What a task's loss `[1, 1]` adds to that of a step.
  ///
  /// - Parameters:
  ///   - share: how much it counts in the step.
  ///   - examples: the share of the step's examples that it is of.
  func weighted(_ loss: Tensor, task: Int, share: Float, examples: Float, _ session: Session) -> Tensor {
    let scaled = (share * fixed[task]) * loss
    guard let logVariances else { return scaled }
    let all = Tensor(handle: session.handle(for: session.leaf(logVariances)))
    let logVariance = all.columns(task..<task + 1)
    return scaled * (-1 * logVariance).exp() + (examples / 2) * logVariance
  }
}
