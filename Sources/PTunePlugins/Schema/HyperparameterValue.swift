import PTune

/// A hyperparameter as the user wrote it, before it is checked against a schema.
public enum HyperparameterValue: Hashable, Sendable {
  /// A whole number. It also stands for a parameter of type `float` or `double`.
  case int(Int)
  /// A number with a fraction or an exponent.
  case double(Double)
  /// `true` or `false`.
  case bool(Bool)
  /// Text.
  case string(String)
  /// A list of texts; the empty list is one.
  case strings([String])
}

extension HyperparameterValue: CustomStringConvertible {
  /// The value as a schema or a run file would write it.
  public var description: String {
    switch self {
    case .int(let value): "\(value)"
    case .double(let value): "\(value)"
    case .bool(let value): "\(value)"
    case .string(let value): value.schemaLiteral
    case .strings(let values): "[\(values.map(\.schemaLiteral).joined(separator: ", "))]"
    }
  }

  /// What kind of value it is, with its article: "a list".
  var kind: String {
    switch self {
    case .int: "a whole number"
    case .double: "a number"
    case .bool: "a boolean"
    case .string: "text"
    case .strings: "a list"
    }
  }
}

extension HyperparameterValue: Encodable {
  /// Encodes the bare value.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .int(let value): try container.encode(value)
    case .double(let value): try container.encode(value)
    case .bool(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .strings(let values): try container.encode(values)
    }
  }
}

/// A hyperparameter after the check: of exactly the C type that `create` takes.
public enum TypedArgument: Hashable, Sendable {
  /// `int32_t`.
  case int(Int32)
  /// `int64_t`.
  case long(Int64)
  /// `float`.
  case float(Float)
  /// `double`.
  case double(Double)
  /// `bool`.
  case bool(Bool)
  /// `const char *`.
  case string(String)
  /// `const ptune_strings_v1 *`.
  case strings([String])

  /// The value as a schema or a run file would write it.
  public var value: HyperparameterValue {
    switch self {
    case .int(let value): .int(Int(value))
    case .long(let value): .int(Int(value))
    case .float(let value): .double(Double("\(value)") ?? Double(value))
    case .double(let value): .double(value)
    case .bool(let value): .bool(value)
    case .string(let value): .string(value)
    case .strings(let values): .strings(values)
    }
  }
}
