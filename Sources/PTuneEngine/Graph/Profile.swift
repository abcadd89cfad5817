/// Where the time of training steps goes, operator by operator.
///
/// A session measures while it has one and a step is in progress, for at most ``stepLimit`` steps; without one nothing is
/// measured.
public final class Profile {
  /// The part of a step that a span belongs to.
  public enum Phase: String, Sendable {
    /// A whole step.
    case step
    /// An operator's result.
    case forward
    /// An operator's gradients.
    case backward
    /// Work around the operators.
    case around
  }

  /// Something that took time.
  public struct Span: Sendable {
    /// The operator, or what was done around them.
    public let name: String
    /// The part of the step.
    public let phase: Phase
    /// The step, counted from 1.
    public let step: Int
    /// Nanoseconds from the making of the profile to the span's beginning.
    public let begin: Int64
    /// Nanoseconds that it took.
    public let duration: Int64
    /// Rows of the result.
    public let rows: Int
    /// Columns of the result.
    public let columns: Int
    /// Floating-point operations of matrix products; 0 for operators without any.
    public let operations: Double
  }

  /// Steps that are measured.
  public static let stepLimit = 50

  /// What was measured, in the order of the ends.
  public private(set) var spans: [Span] = []
  /// Steps measured so far.
  public private(set) var steps = 0
  private var isInStep = false
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant

  /// A profile of steps that follow.
  public init() { start = clock.now }

  /// Measures a step, and what the session does in it.
  public func step<Result>(_ body: () throws -> Result) rethrows -> Result {
    guard steps < Self.stepLimit else { return try body() }
    steps += 1
    isInStep = true
    defer { isInStep = false }
    return try measure("step", .step, body)
  }

  /// Measures work around the operators, if a step is in progress.
  public func around<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    try measure(name, .around, body)
  }

  func measure(_ instruction: Instruction, _ phase: Phase, _ body: () -> Void) {
    measure(
      instruction.operation.name, phase, rows: instruction.rows, columns: instruction.columns,
      operations: {
        phase == .forward
          ? instruction.operation.forwardWork(instruction) : instruction.operation.backwardWork(instruction)
      }, body)
  }

  private func measure<Result>(
    _ name: String, _ phase: Phase, rows: Int = 0, columns: Int = 0, operations: () -> Double = { 0 },
    _ body: () throws -> Result
  ) rethrows -> Result {
    guard isInStep else { return try body() }
    let begin = clock.now
    defer {
      let end = clock.now
      spans.append(
        Span(
          name: name, phase: phase, step: steps, begin: (begin - start).nanoseconds,
          duration: (end - begin).nanoseconds, rows: rows, columns: columns, operations: operations()))
    }
    return try body()
  }

  // MARK: - Sums

  /// Spans of one name and phase, together.
  public struct Sum: Sendable {
    /// The operator, or what was done around them.
    public let name: String
    /// The part of the step.
    public let phase: Phase
    /// How often.
    public var calls = 0
    /// Nanoseconds in all.
    public var duration: Int64 = 0
    /// Floating-point operations of matrix products in all.
    public var operations = 0.0
  }

  /// The steps that sums are over: all but the first, in which weights are packed and memory is taken; it alone if there
  /// is no other.
  public var summedSteps: ClosedRange<Int> { steps > 1 ? 2...steps : 1...max(1, steps) }

  /// Sums of spans, the longest first, and the nanoseconds of whole steps.
  public var sums: (parts: [Sum], whole: Int64) {
    var parts: [String: Sum] = [:]
    var whole: Int64 = 0
    let measured = summedSteps
    for span in spans where measured.contains(span.step) {
      if span.phase == .step {
        whole += span.duration
        continue
      }
      var sum = parts["\(span.name) \(span.phase)", default: Sum(name: span.name, phase: span.phase)]
      sum.calls += 1
      sum.duration += span.duration
      sum.operations += span.operations
      parts["\(span.name) \(span.phase)"] = sum
    }
    let sorted = parts.values.sorted {
      ($1.duration, $0.name, $0.phase.rawValue) < ($0.duration, $1.name, $1.phase.rawValue)
    }
    return (sorted, whole)
  }
}

extension Optional where Wrapped == Profile {
  /// Measures work around the operators if there is a profile.
  public func around<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
    if let self { return try self.around(name, body) }
    return try body()
  }
}

extension Duration {
  /// In seconds.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }

  fileprivate var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}
