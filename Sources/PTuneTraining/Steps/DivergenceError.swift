import PTuneFormats

/// Why a training ended early: the loss is not a number any more, or explodes.
public struct DivergenceError: Error, Equatable, Sendable {
  /// The step and what is wrong with it.
  public let divergence: Divergence
  /// Steps before it that were left out for the same reason.
  public let skipped: Int
  /// The step whose adapter is on disk.
  public let kept: Int?
}

extension DivergenceError: HelpfulError {
  /// What went wrong, where.
  public var description: String {
    skipped == 0 ? "\(divergence)" : "\(divergence), after \(skipped) skipped steps in a row"
  }

  /// What to do about it.
  public var help: String? {
    "look at these rows, or lower training.learning_rate or training.clip_norm"
      + (skipped > 0
        ? "" : "; with --set training.on_divergence=skip, also with --resume, such steps are left out")
      + (kept.map { "; the adapter of step \($0) is kept" } ?? "")
  }
}
