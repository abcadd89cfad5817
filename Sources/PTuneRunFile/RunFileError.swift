import PTune
import PTuneComposition
import PTuneFormats
import PTunePlugins

/// What is wrong with a run file or a flag that overrides it.
public struct RunFileError: Error, Equatable, Sendable {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// The text is not YAML; the column counts characters from 1.
    case syntax(String, column: Int?)
    /// The file is not UTF-8; the first wrong byte is this one of its line, from 1.
    case encoding(byte: Int)
    /// The file, or what its aliases expand to, is beyond any run file's size.
    case size(String)
    /// A key that nothing knows.
    case unknownKey(String, section: String, known: [String])
    /// A key that occurs twice in a mapping.
    case duplicateKey(String)
    /// A key that has to be there.
    case missing(String, section: String)
    /// A value of the wrong type.
    case type(key: String, expected: String, found: String)
    /// A value that is not allowed: "must be at least 1".
    case range(key: String, found: String, rule: String)
    /// A hyperparameter that does not fit its component.
    case hyperparameter(HyperparameterError)
    /// Two values that do not go together.
    case conflict(String)
    /// A flag's path that leads nowhere.
    case path(String)
  }

  /// A run file, with its flags, that has both keys.
  static let bothAdapters = "give either 'adapter' or 'adapters', not both"

  /// Where; nil for the whole.
  public let place: RunPlace?
  /// What is wrong.
  public let problem: Problem

  /// What is wrong, and where.
  package init(place: RunPlace?, problem: RunFileError.Problem) {
    self.place = place
    self.problem = problem
  }

  /// What to do about it.
  public var help: String? {
    switch problem {
    case .unknownKey(_, let section, let known):
      "the keys \(section.isEmpty ? "of a run file" : "of \(section)") are \(known.joined(separator: ", "))"
    case .encoding: InvalidUTF8.help
    case .syntax: "a value with special characters needs quotes; indent with spaces, not tabs"
    case .duplicateKey: "remove one of them"
    case .hyperparameter(let error): error.help
    case .missing(_, section: ""):
      "a run file has 'base', 'adapter' and 'tasks' at least; `ptune recommend --write run.yaml` writes one to start from"
    case .conflict(Self.bothAdapters):
      "a key of one of several is set by its name: --set adapters.lora.r=4"
    case .type("run file", _, _): "a run file begins with 'base:'; check whether the file is one"
    default: nil
    }
  }
}

extension RunFileError: HelpfulError {
  /// The place and the problem, in one line.
  public var description: String {
    guard let place else { return problem.text }
    if case .syntax(_, let column?) = problem, case .file = place {
      return "\(place):\(column): \(problem.text)"
    }
    return "\(place): \(problem.text)"
  }
}

extension RunFileError.Problem {
  fileprivate var text: String {
    switch self {
    case .syntax(let problem, _): "this is not YAML: \(problem)"
    case .encoding(let byte): "byte \(byte) of the line is not UTF-8"
    case .size(let limit): "this is too large for a run file: \(limit)"
    case .unknownKey(let key, let section, let known):
      "unknown key '\(key)'\(section.isEmpty ? "" : " in \(section)")"
        + (Suggestion.nearest(key, among: known).map { "; did you mean '\($0)'?" } ?? "")
    case .duplicateKey(let key): "the key '\(key)' occurs twice"
    case .missing(let key, let section): "\(section.isEmpty ? "the run file" : section) has no '\(key)'"
    case .type(let key, let expected, let found): "'\(key)' should be \(expected) but is \(found)"
    case .range(let key, let found, let rule): "'\(key)' \(rule) but is \(found)"
    case .hyperparameter(let error): "\(error)"
    case .conflict(let text), .path(let text): text
    }
  }
}
