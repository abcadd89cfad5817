import CPTune

/// Numbers that a component keeps from step to step of a training and changes itself; no gradient does. Checkpoints
/// hold them, adapter files do not.
public enum TrainingState {
  /// The component's `count` numbers of this name, zero when they are first asked for. They live as long as it does.
  ///
  /// - Throws: ``ComponentFailure`` if the name stands for another count.
  public static func values(_ name: String, count: Int) throws -> UnsafeMutableBufferPointer<Float> {
    guard let start = Host.tables.parameters?.pointee.state(Host.currentCall, name, count) else {
      throw ComponentFailure("asking for the state '\(name)' failed")
    }
    return UnsafeMutableBufferPointer(start: start, count: count)
  }
}
