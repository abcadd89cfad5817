import PTune
import PTuneFormats

/// A value in a run file that does not fit a component's schema.
public struct HyperparameterError: Error, Hashable, Sendable {
  /// What is wrong.
  public enum Problem: Hashable, Sendable {
    /// The component has no such hyperparameter.
    case unknown(nearest: String?, known: [String])
    /// It has no default and no value was given.
    case missing(ParameterType, documentation: String)
    /// The value is of another type.
    case wrongType(expected: ParameterType, found: HyperparameterValue)
    /// The number is outside its limits, or outside what its C type can hold.
    case outOfRange(value: String, limits: String)
    /// The text is none of those allowed.
    case notAChoice(value: String, choices: [String], nearest: String?)
    /// The text contains a zero character, which no C string can.
    case zeroCharacter
  }

  /// The component's name, as users write it.
  public let component: String
  /// The key as the user wrote it.
  public let parameter: String
  /// What is wrong.
  public let problem: Problem
}

extension HyperparameterError: HelpfulError {
  /// What is wrong with which hyperparameter of which component.
  public var description: String {
    let subject = "'\(parameter)' of \(component)"
    return switch problem {
    case .unknown: "\(component) has no hyperparameter '\(parameter)'"
    case .missing(let type, _): "\(subject) is missing: it has to be \(type.expectation) and has no default"
    case .wrongType(let expected, let found):
      "\(subject) has to be \(expected.expectation), not \(found.kind) (\(found))"
    case .outOfRange(let value, let limits): "\(subject) is \(value), which is outside \(limits)"
    case .notAChoice(let value, let choices, _):
      "\(subject) is \(value.schemaLiteral), which is none of \(choices.joined(separator: ", "))"
    case .zeroCharacter: "\(subject) contains a zero character"
    }
  }

  /// What the user can do.
  public var help: String? {
    switch problem {
    case .unknown(let nearest?, _): "did you mean '\(nearest)'?"
    case .unknown(nil, let known):
      known.isEmpty ? "it has no hyperparameters" : "it takes \(known.joined(separator: ", "))"
    case .notAChoice(_, _, let nearest?): "did you mean '\(nearest)'?"
    case .missing(_, let documentation) where !documentation.isEmpty:
      "give '\(parameter)' a value: \(documentation)"
    case .missing, .wrongType, .outOfRange, .notAChoice, .zeroCharacter:
      "`ptune describe \(component)` shows what each hyperparameter takes"
    }
  }
}
