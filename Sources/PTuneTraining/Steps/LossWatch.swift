/// Watches the losses of a training for two things that prompt tuning often suffers from: a loss that does not move,
/// and one that grows.
///
/// It compares means over windows of steps, since single batches say little.
public struct LossWatch: Sendable {
  /// What is wrong.
  public enum Finding: Equatable, Sendable {
    /// After `step` steps the mean loss is what it was in the beginning.
    case still(step: Int, from: Double, to: Double)
    /// The mean loss is far above the least one.
    case growing(step: Int, least: Double, now: Double)
  }

  /// Steps of a window.
  static let window = 20
  /// When the loss should have moved.
  static let patience = 100

  private let window: Int
  private let watchesStart: Bool
  private let patience: Int
  private var recent: [Double] = []
  private var first: Double?
  private var least = Double.infinity
  private var hasTold = false

  /// A watch of a training.
  ///
  /// - Parameters:
  ///   - steps: of the whole training; a short one is judged at its end.
  ///   - isFresh: whether it begins with an untrained adapter; the loss of another may stand still for good reasons.
  public init(steps: Int, isFresh: Bool) {
    watchesStart = isFresh
    // A short training is judged by fewer steps, and only where the loss leaves no doubt.
    window = min(Self.window, max(3, steps / 3))
    patience = max(2 * Self.window, min(Self.patience, steps))
  }

  /// Takes the loss of a step, counted from 1.
  ///
  /// - Returns: what is wrong, once in a training.
  public mutating func add(_ loss: Double, step: Int) -> Finding? {
    recent.append(loss)
    if recent.count > window { recent.removeFirst() }
    guard recent.count == window, !hasTold else { return nil }
    let mean = recent.reduce(0, +) / Double(window)
    if first == nil { first = mean }
    least = min(least, mean)
    guard let first else { return nil }
    if mean > (window < Self.window ? 5 * max(least, first) : max(2 * least, first * 1.1)) {
      hasTold = true
      return .growing(step: step, least: least, now: mean)
    }
    if watchesStart, step == patience, mean > first * 0.98 {
      hasTold = true
      return .still(step: step, from: first, to: mean)
    }
    return nil
  }
}
