import PTune

/// The hyperparameters that a component declares: `prefix_tuning(int virtual_tokens=20 [1..] "rows", …)`.
///
/// The grammar stands at `ptune_component_v1.schema` in ptune.h.
public struct Schema: Hashable, Sendable {
  /// The component's name with '_' for '-'.
  public let name: String
  /// In the order in which `create` takes them.
  public let parameters: [Parameter]

  /// One hyperparameter.
  public struct Parameter: Hashable, Sendable {
    /// As users write it in a run file.
    public let name: String
    /// Decides the C type.
    public let type: ParameterType
    /// What it is when the user says nothing; `nil` if the user must give a value.
    public let defaultValue: HyperparameterValue?
    /// Which values are allowed; `nil` for all of its type.
    public let limits: Limits?
    /// What it means, in a few words; may be empty.
    public let documentation: String
  }

  /// Which values of a type a parameter takes.
  public enum Limits: Hashable, Sendable {
    /// From `lowest` to `highest`, both included, either of which may be missing.
    case range(lowest: HyperparameterValue?, highest: HyperparameterValue?)
    /// One of these texts; of a list, each element.
    case choices([String])
  }
}

/// The type of a hyperparameter, by its name in a schema.
public enum ParameterType: String, CaseIterable, Sendable {
  /// `int32_t`.
  case int
  /// `int64_t`.
  case long
  /// `float`.
  case float
  /// `double`.
  case double
  /// `bool`.
  case bool
  /// `const char *`.
  case string
  /// `const ptune_strings_v1 *`.
  case strings

  /// Whether limits of it are a range.
  var isNumber: Bool {
    switch self {
    case .int, .long, .float, .double: true
    case .bool, .string, .strings: false
    }
  }

  /// What a value of it is, with its article.
  var expectation: String {
    switch self {
    case .int, .long: "a whole number"
    case .float, .double: "a number"
    case .bool: "true or false"
    case .string: "text"
    case .strings: "a list of texts"
    }
  }
}

extension Schema.Limits: CustomStringConvertible {
  /// As a schema writes them: `[1..]`, `{first|mean}`.
  public var description: String {
    switch self {
    case .range(let lowest, let highest): "[\(lowest?.description ?? "")..\(highest?.description ?? "")]"
    case .choices(let choices): "{\(choices.map(\.schemaWord).joined(separator: "|"))}"
    }
  }
}

extension Schema.Parameter: CustomStringConvertible {
  /// As a schema writes it: `int virtual_tokens=20 [1..] "rows"`.
  public var description: String {
    var text = "\(type.rawValue) \(name)"
    if let defaultValue { text += "=\(defaultValue)" }
    if let limits { text += " \(limits)" }
    if !documentation.isEmpty { text += " \(documentation.schemaLiteral)" }
    return text
  }
}

extension Schema: CustomStringConvertible {
  /// A schema string that parses to this schema.
  public var description: String {
    "\(name)(\(parameters.map(\.description).joined(separator: ", ")))"
  }
}
