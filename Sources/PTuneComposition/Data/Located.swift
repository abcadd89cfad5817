/// Where a value of a run comes from, for messages.
public enum RunPlace: Hashable, Sendable {
  /// A line of the run file, from 1.
  case file(String, line: Int)
  /// A flag, as the user gave it: "--set training.epochs=5".
  case flag(String)
}

extension RunPlace: CustomStringConvertible {
  /// "run.yaml:12" or the flag.
  public var description: String {
    switch self {
    case .file(let path, let line): "\(path):\(line)"
    case .flag(let flag): flag
    }
  }
}

/// A value and where it comes from. Two are equal if their values are.
public struct Located<Value: Equatable & Sendable>: Equatable, Sendable {
  /// The value.
  public var value: Value
  /// Where it comes from.
  public var place: RunPlace

  /// A value with its place.
  public init(_ value: Value, _ place: RunPlace) {
    self.value = value
    self.place = place
  }

  /// Whether the values are equal.
  public static func == (left: Located, right: Located) -> Bool { left.value == right.value }
}
