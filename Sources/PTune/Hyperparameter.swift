import CPTune

/// A Swift type that a hyperparameter may have.
public protocol HyperparameterType {
  /// Its name in the schema language of `ptune_component_v1.schema`.
  static var schemaType: String { get }
  /// Reads an argument of the corresponding C type.
  static func read(_ argument: UnsafeRawPointer) -> Self
  /// How the schema writes this value.
  var schemaLiteral: String { get }
}

extension Int: HyperparameterType {
  /// C's `int64_t`.
  public static var schemaType: String { "long" }
  /// Reads the C value.
  public static func read(_ argument: UnsafeRawPointer) -> Int { Int(argument.load(as: Int64.self)) }
  /// As the schema writes it.
  public var schemaLiteral: String { "\(self)" }
}

extension Double: HyperparameterType {
  /// C's `double`.
  public static var schemaType: String { "double" }
  /// Reads the C value.
  public static func read(_ argument: UnsafeRawPointer) -> Double { argument.load(as: Double.self) }
  /// As the schema writes it.
  public var schemaLiteral: String { "\(self)" }
}

extension Bool: HyperparameterType {
  /// C's `bool`.
  public static var schemaType: String { "bool" }
  /// Reads the C value.
  public static func read(_ argument: UnsafeRawPointer) -> Bool { argument.load(as: Bool.self) }
  /// As the schema writes it.
  public var schemaLiteral: String { "\(self)" }
}

extension String: HyperparameterType {
  /// C's `const char *`.
  public static var schemaType: String { "string" }
  /// Reads the C value.
  public static func read(_ argument: UnsafeRawPointer) -> String {
    argument.load(as: UnsafePointer<CChar>?.self).map { String(cString: $0) } ?? ""
  }
  /// As the schema writes it: in double quotes, with `"`, `\`, newline and tab escaped.
  public var schemaLiteral: String {
    let escaped = unicodeScalars.map { scalar in
      switch scalar {
      case "\"": "\\\""
      case "\\": "\\\\"
      case "\n": "\\n"
      case "\t": "\\t"
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
  /// As a schema writes it among choices: in quotes unless it is a plain word.
  package var schemaWord: String {
    let isPlain = utf8.allSatisfy {
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || $0 == UInt8(ascii: "-")
    }
    return isPlain && !isEmpty ? self : schemaLiteral
  }
}

extension [String]: HyperparameterType {
  /// C's `const ptune_strings_v1 *`.
  public static var schemaType: String { "strings" }
  /// Reads the C value.
  public static func read(_ argument: UnsafeRawPointer) -> [String] {
    guard let list = argument.load(as: UnsafePointer<ptune_strings_v1>?.self)?.pointee else { return [] }
    return (0..<list.count).compactMap { list.items[$0].map { String(cString: $0) } }
  }
  /// As the schema writes it.
  public var schemaLiteral: String { "[\(map(\.schemaLiteral).joined(separator: ", "))]" }
}

/// The declaration of one hyperparameter: from these the schema, its documentation and the typed arguments of a
/// component's initialiser all come, so they cannot disagree.
public struct Hyperparameter<Value: HyperparameterType>: Sendable {
  let schema: String

  private init(_ name: String, default value: Value?, limits: String = "", _ documentation: String) {
    let assignment = value.map { "=\($0.schemaLiteral)" } ?? ""
    schema = "\(Value.schemaType) \(name)\(assignment)\(limits) \(documentation.schemaLiteral)"
  }

  /// One of a few words.
  init(_ name: String, choices: [String], default value: Value?, _ documentation: String) {
    let words = choices.map(\.schemaWord).joined(separator: "|")
    self.init(name, default: value, limits: " {\(words)}", documentation)
  }
}

extension Hyperparameter where Value == Int {
  /// A whole number; required if it has no default.
  public static func integer(
    _ name: String, default value: Int? = nil, in range: ClosedRange<Int>, _ documentation: String
  ) -> Hyperparameter {
    Hyperparameter(
      name, default: value, limits: " [\(range.lowerBound)..\(range.upperBound)]", documentation)
  }
}

extension Hyperparameter where Value == Double {
  /// A number; required if it has no default.
  public static func number(
    _ name: String, default value: Double? = nil, in range: ClosedRange<Double>, _ documentation: String
  ) -> Hyperparameter {
    Hyperparameter(
      name, default: value, limits: " [\(range.lowerBound)..\(range.upperBound)]", documentation)
  }
}

extension Hyperparameter where Value == Bool {
  /// Yes or no; required if it has no default.
  public static func flag(
    _ name: String, default value: Bool? = nil, _ documentation: String
  ) -> Hyperparameter {
    Hyperparameter(name, default: value, documentation)
  }
}

extension Hyperparameter where Value == String {
  /// One of a few words; required if it has no default.
  public static func choice(
    _ name: String, of choices: [String], default value: String? = nil, _ documentation: String
  ) -> Hyperparameter {
    Hyperparameter(name, choices: choices, default: value, documentation)
  }
  /// A text; required if it has no default.
  public static func text(
    _ name: String, default value: String? = nil, _ documentation: String
  ) -> Hyperparameter {
    Hyperparameter(name, default: value, documentation)
  }
}

extension Hyperparameter where Value == [String] {
  /// A list of texts; required if it has no default.
  public static func texts(
    _ name: String, default value: [String]? = nil, _ documentation: String
  ) -> Hyperparameter {
    Hyperparameter(name, default: value, documentation)
  }
}
