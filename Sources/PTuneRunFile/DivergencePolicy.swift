/// What is done with a step whose loss or gradient is not a number, or whose loss explodes.
public enum DivergencePolicy: String, CaseIterable, Sendable {
  /// The training ends with an error.
  case stop
  /// The step changes nothing, and the training goes on with the next batch.
  case skip
}
