import PTuneTerminal
import PTuneTraining

extension LossWatch.Finding {
  /// What is wrong and what to try.
  func text(learningRate: Double) -> String {
    switch self {
    case .still(let step, let from, let to):
      "the loss has not moved in \(step) steps (\(NumberText.fixed(from, 4)), now \(NumberText.fixed(to, 4))); "
        + "the learning rate is \(learningRate): try ten times that, use `--find-learning-rate`, or try another "
        + "initialisation (adapter.initialization) or more virtual tokens"
    case .growing(let step, let least, let now):
      "the loss grows: \(NumberText.fixed(now, 4)) on average around step \(step), after "
        + "\(NumberText.fixed(least, 4)) before; the learning rate is \(learningRate): try a third of it, "
        + "use `--find-learning-rate`, or a longer warm-up (training.warmup_ratio)"
    }
  }
}
