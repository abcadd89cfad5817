/// A schema string that does not follow the grammar.
public struct SchemaError: Error, Hashable, Sendable {
  /// What is wrong.
  public enum Problem: Hashable, Sendable {
    /// Something else had to stand there.
    case expected(String, found: String)
    /// No such type; the nearest that there is.
    case unknownType(String, nearest: String?)
    /// A parameter name that stands there for the second time.
    case repeatedParameter(String)
    /// A default that is no value of the parameter's type.
    case defaultOfOtherType(parameter: String, type: ParameterType, found: String)
    /// A default outside the parameter's own limits.
    case defaultOutsideLimits(parameter: String, value: String, limits: String)
    /// Limits of a form that the type does not have.
    case limitsOfOtherType(parameter: String, type: ParameterType)
    /// A range that holds no value.
    case emptyRange(parameter: String, limits: String)
    /// A number that the type cannot hold.
    case numberTooLarge(String, type: ParameterType)
    /// A text that is not closed.
    case unclosedText
  }

  /// What is wrong.
  public let problem: Problem
  /// Where, counted from 1. Columns count bytes of UTF-8.
  public let line: Int, column: Int
}

extension SchemaError: CustomStringConvertible {
  /// The problem and where it is.
  public var description: String {
    "malformed schema, line \(line), column \(column): \(problem.text)"
  }

  /// Where the grammar stands.
  public var help: String? {
    "the grammar of schemas is at ptune_component_v1 in ptune.h"
  }
}

extension SchemaError.Problem {
  fileprivate var text: String {
    switch self {
    case .expected(let expected, let found):
      "expected \(expected), found \(found)"
    case .unknownType(let name, let nearest):
      "unknown type '\(name)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
        + " (there are \(ParameterType.allCases.map(\.rawValue).joined(separator: ", ")))"
    case .repeatedParameter(let name):
      "there are two parameters '\(name)'"
    case .defaultOfOtherType(let parameter, let type, let found):
      "the default of '\(parameter)' has to be \(type.expectation), not \(found)"
    case .defaultOutsideLimits(let parameter, let value, let limits):
      "the default of '\(parameter)', \(value), is outside \(limits)"
    case .limitsOfOtherType(let parameter, let type):
      type.isNumber
        ? "'\(parameter)' is a number: its limits are a range, [lo..hi]"
        : type == .bool
          ? "'\(parameter)' is a boolean: it has no limits"
          : "'\(parameter)' is text: its limits are choices, {a|b}"
    case .emptyRange(let parameter, let limits):
      "the range \(limits) of '\(parameter)' holds no value"
    case .numberTooLarge(let number, let type):
      "\(number) does not fit type \(type.rawValue)"
    case .unclosedText:
      "this text is not closed"
    }
  }
}
