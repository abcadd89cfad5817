import PTuneComposition
import PTuneFormats

/// Why runs cannot be compared.
public enum ComparisonError: HelpfulError, Equatable {
  /// A method uses a selector, and names none; `method` is how the user wrote it.
  case noSelector(RunPlace, adapter: String, method: String, known: [String])
  /// A file beside a run's results that no comparison writes.
  case conditions(file: String)
  /// Results of a run under other conditions.
  case otherRun(method: String, seed: Int, difference: String)
}

extension ComparisonError {
  /// What is wrong, where.
  public var description: String {
    switch self {
    case .noSelector(let place, let adapter, _, _):
      "\(place): the adapter '\(adapter)' uses a selector for its pool"
    case .conditions(let file): "\(file) is not what a comparison writes"
    case .otherRun(let method, let seed, let difference):
      "\(method), seed \(seed), already exists from another run: \(difference)"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .noSelector(_, _, let method, let known):
      "name one with it, as in \(method):selector=\(known.first ?? "NAME"); there are "
        + known.joined(separator: ", ")
    case .conditions: "give another folder with --output"
    case .otherRun:
      "results of different runs do not belong in one table: give another folder with --output, or delete the "
        + "old ones with --restart"
    }
  }
}
