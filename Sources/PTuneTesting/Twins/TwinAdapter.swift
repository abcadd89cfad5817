import PTune

/// An adapter in memory whose parameters and injections a test writes down where it uses them.
public final class TwinAdapter: Adapter {
  /// How many positions it takes from the text.
  public let positions: Int
  private let parameters: [Parameter]
  private let body: ([Tensor], Batch, Injections) throws -> Void

  /// Declares a parameter `p0`, `p1`, … of each shape; to be made while an adapter is created.
  ///
  /// - Parameters:
  ///   - positions: how many positions it takes from the text.
  ///   - shapes: of the parameters.
  ///   - deviation: standard deviation of their random start.
  ///   - inject: what it injects, given the parameters' present values.
  /// - Throws: `ComponentFailure` if the host refuses a parameter.
  public init(
    positions: Int = 0, parameters shapes: [[Int]], deviation: Float = 0.3,
    inject: @escaping ([Tensor], Batch, Injections) throws -> Void
  ) throws {
    self.positions = positions
    parameters = try shapes.enumerated().map {
      try Parameter("p\($0)", shape: $1, initial: .normal(deviation: deviation))
    }
    body = inject
  }

  /// Prompt rows at the input, `[rows, hidden]`.
  ///
  /// - Throws: `ComponentFailure` if the host refuses the parameter.
  public static func prompt(rows: Int, at placement: Placement) throws -> TwinAdapter {
    try TwinAdapter(positions: rows, parameters: [[rows, Base.facts.hiddenSize]]) {
      try $2.input($0[0], at: placement)
    }
  }

  /// Injects what the test wrote down.
  public func inject(_ batch: Batch, into injections: Injections) throws {
    try body(parameters.map(\.value), batch, injections)
  }
}
