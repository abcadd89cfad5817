import CPTune

/// A hyperparameter that is one of a few words: a C string in the schema, a case in Swift.
public protocol HyperparameterChoice: HyperparameterType, CaseIterable, Sendable {
  /// As a run file writes it.
  var name: String { get }
}

extension HyperparameterChoice where Self: RawRepresentable, RawValue == String {
  /// The raw value.
  public var name: String { rawValue }
}

extension HyperparameterChoice {
  /// C's `const char *`.
  public static var schemaType: String { "string" }
  /// As the schema writes it.
  public var schemaLiteral: String { name.schemaLiteral }
  /// Reads the C value. The host has checked it against the schema; another one fails the call in progress.
  public static func read(_ argument: UnsafeRawPointer) -> Self {
    let name = String.read(argument)
    if let value = Self(name: name) { return value }
    _ = Host.fail(ComponentFailure.badArgument("there is no choice '\(name)'"))
    return allCases[allCases.startIndex]
  }
  /// The case of this name.
  public init?(name: String) {
    guard let value = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = value
  }
}

extension Hyperparameter where Value: HyperparameterChoice {
  /// One of the cases of a type, or of some of them.
  public static func choice(
    _ name: String, of choices: [Value] = Array(Value.allCases), default value: Value,
    _ documentation: String
  ) -> Hyperparameter {
    Hyperparameter(name, choices: choices.map(\.name), default: value, documentation)
  }
}
