import CPTuneKernels

/// Numbers too small for a float's full precision, which all that computes takes as zero: vanishing gradients are full of
/// them, and processors are many times slower with them.
public enum Subnormals {
  /// Runs `body` with subnormal numbers as zero on this thread, as they are on the threads of a ``ThreadPool``, and leaves
  /// the thread as it was.
  public static func flushed<Result, Failure>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result
  {
    let control = ptk_flush_subnormals()
    defer { ptk_restore_float_control(control) }
    return try body()
  }
}
