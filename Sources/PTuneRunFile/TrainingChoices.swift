/// How often something happens during training.
public enum TrainingInterval: Equatable, Sendable {
  /// At the end of each pass over the training data.
  case epoch
  /// Every so many steps, at least 1.
  case steps(Int)
  /// Never.
  case never
}

extension TrainingInterval: CustomStringConvertible {
  /// As a run file has it.
  public var description: String {
    switch self {
    case .epoch: "epoch"
    case .steps(let steps): "\(steps)"
    case .never: "never"
    }
  }
}

/// How the learning rate goes down after the warm-up.
public enum LearningRateSchedule: String, CaseIterable, Sendable {
  /// In a straight line to zero.
  case linear
  /// Along half a cosine to zero.
  case cosine
  /// Not at all.
  case constant
}

/// What a training step computes a second time for the gradient, instead of keeping it: results are the same.
public enum Recompute: String, CaseIterable, Sendable {
  /// Everything is kept.
  case nothing
  /// Layers of the base model, from their inputs.
  case layers
}
