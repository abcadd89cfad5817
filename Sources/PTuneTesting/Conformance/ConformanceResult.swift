/// What a single check of a plugin found.
public struct ConformanceResult: Sendable, Equatable {
  /// How a check ended.
  public enum Outcome: String, Sendable {
    /// What the check asks for holds.
    case passed
    /// It does not.
    case failed
    /// The check does not apply, or lacks something that the caller can give.
    case skipped
  }

  /// What holds if it passes, as a sentence's end: "its gradients match its loss".
  public let check: String
  /// How it ended.
  public let outcome: Outcome
  /// Numbers of a check that passed, why one failed, or what one that was skipped needs; may be empty.
  public let detail: String

  /// The result of a check.
  public init(_ check: String, _ outcome: Outcome, _ detail: String = "") {
    self.check = check
    self.outcome = outcome
    self.detail = detail
  }
}

/// A check that can be run.
struct ConformanceCheck {
  /// What holds if it passes.
  let title: String
  /// Whether the others make no sense without it.
  let isNeeded: Bool
  /// Finds out.
  let run: () throws -> Verdict

  init(_ title: String, isNeeded: Bool = false, _ run: @escaping () throws -> Verdict) {
    self.title = title
    self.isNeeded = isNeeded
    self.run = run
  }

  /// What it found; an error that it threw is a failure.
  func result() -> ConformanceResult {
    do {
      switch try run() {
      case .passed(let detail): return ConformanceResult(title, .passed, detail)
      case .failed(let detail): return ConformanceResult(title, .failed, detail)
      case .skipped(let detail): return ConformanceResult(title, .skipped, detail)
      }
    } catch {
      return ConformanceResult(title, .failed, "\(error)")
    }
  }
}

/// What a check found.
enum Verdict {
  case passed(String = "")
  case failed(String)
  case skipped(String)

  /// Passed if `condition` holds.
  static func when(_ condition: Bool, _ detail: String) -> Verdict {
    condition ? .passed(detail) : .failed(detail)
  }
}
