/// Collects what `encode` emits.
public final class TargetCollector {
  /// Integer targets, in order.
  public internal(set) var integers: [Int32] = []
  /// Number targets, in order.
  public internal(set) var numbers: [Float] = []
}

/// Collects what `predict` states: keys and JSON values.
public final class PredictionCollector {
  /// In the order they were stated.
  public internal(set) var members: [(key: String, json: String)] = []
}
