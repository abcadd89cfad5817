import CPTune

/// A trainable array that the host initialises, optimises, saves and loads.
///
/// Declare parameters in a component's `init`; they live as long as the component.
public struct Parameter {
  let handle: OpaquePointer?

  /// How a parameter starts when no saved value replaces it.
  public enum Initial {
    /// Every value is 0.
    case zeros
    /// Every value is this one.
    case constant(Float)
    /// Normally distributed.
    case normal(mean: Float = 0, deviation: Float)
    /// Uniform in `lower..<upper`.
    case uniform(Float, Float)
    /// These values, in row-major order.
    case values([Float])
  }

  /// Declares a parameter under a name that is unique in the component.
  ///
  /// - Parameters:
  ///   - name: its name in the adapter file.
  ///   - shape: one to four dimensions.
  ///   - initial: how it starts.
  /// - Throws: ``ComponentFailure`` if the host refuses it.
  public init(_ name: String, shape: [Int], initial: Initial) throws {
    var start = ptune_initial_v1()
    switch initial {
    case .zeros: start.kind = ptune_initial(PTUNE_INITIAL_CONSTANT)
    case .constant(let value):
      start.kind = ptune_initial(PTUNE_INITIAL_CONSTANT)
      start.a = value
    case .normal(let mean, let deviation):
      start.kind = ptune_initial(PTUNE_INITIAL_NORMAL)
      (start.a, start.b) = (mean, deviation)
    case .uniform(let lower, let upper):
      start.kind = ptune_initial(PTUNE_INITIAL_UNIFORM)
      (start.a, start.b) = (lower, upper)
    case .values(let values):
      guard values.count == shape.reduce(1, *) else {
        throw ComponentFailure("parameter '\(name)' of shape \(shape) got \(values.count) initial values")
      }
      start.kind = ptune_initial(PTUNE_INITIAL_VALUES)
      handle = values.withUnsafeBufferPointer {
        start.values = $0.baseAddress
        return Self.declare(name, shape, &start)
      }
      if handle == nil { throw ComponentFailure("declaring parameter '\(name)' failed") }
      return
    }
    handle = Self.declare(name, shape, &start)
    if handle == nil { throw ComponentFailure("declaring parameter '\(name)' failed") }
  }

  private static func declare(
    _ name: String, _ shape: [Int], _ initial: inout ptune_initial_v1
  ) -> OpaquePointer? {
    Host.tables.parameters?.pointee.declare(Host.currentCall, name, shape, shape.count, &initial)
  }

  /// Says how training treats it: how it differs from the run's settings. In the component's `init` only.
  ///
  /// - Parameters:
  ///   - rateFactor: what the run's learning rate is multiplied by.
  ///   - weightDecay: in place of the run's; nil for that.
  /// - Throws: ``ComponentFailure`` of a ptune that cannot, or for numbers out of range.
  public func train(rateFactor: Double = 1, weightDecay: Double? = nil) throws {
    guard let table = Host.tables.secondParameters?.pointee else { throw Host.lacks(PTUNE_PARAMETERS_V2) }
    try Host.check(table.learning_rate(Host.currentCall, handle, rateFactor), "setting a learning rate")
    if let weightDecay {
      try Host.check(table.weight_decay(Host.currentCall, handle, weightDecay), "setting a weight decay")
    }
  }

  /// The present value, `[product of all dimensions but the last, last]`.
  public var value: Tensor {
    Tensor(handle: Host.tables.parameters?.pointee.value(Host.currentCall, handle))
  }
}
