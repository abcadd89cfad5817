/// A component with a value for each of its hyperparameters, checked once against its schema.
public struct CheckedComponent: Sendable {
  /// What it is.
  public let description: ComponentDescription
  /// The values in the schema's order, of exactly the types that `create` takes.
  public private(set) var arguments: [TypedArgument]
  /// The hyperparameters that were given; the others have their defaults.
  public private(set) var given: Set<String>

  /// Checks values, and completes them with defaults.
  ///
  /// - Throws: `HyperparameterError` for the first value that does not fit.
  public init(
    _ description: ComponentDescription, _ values: [String: HyperparameterValue]
  ) throws(HyperparameterError) {
    self.description = description
    arguments = try description.schema.arguments(from: values)
    given = Set(values.keys)
  }

  /// The value of a hyperparameter; nil if there is none of this name.
  public subscript(name: String) -> HyperparameterValue? { place(of: name).map { arguments[$0].value } }

  /// All values.
  public var values: [String: HyperparameterValue] {
    let names = description.schema.parameters.map(\.name)
    return Dictionary(uniqueKeysWithValues: zip(names, arguments.map(\.value)))
  }

  /// Gives a hyperparameter another value.
  ///
  /// - Throws: `HyperparameterError` if it does not fit.
  public mutating func set(_ name: String, _ value: HyperparameterValue) throws(HyperparameterError) {
    let argument = try description.schema.argument(value, named: name)
    if let place = place(of: name) { arguments[place] = argument }
    given.insert(name)
  }

  /// Takes the values that the same component was given elsewhere.
  ///
  /// - Parameter names: those that it does not take.
  public mutating func take(_ other: CheckedComponent, except names: Set<String> = []) {
    precondition(other.description.schema == description.schema, "values of another component")
    for name in other.given.subtracting(names) {
      if let place = place(of: name) { arguments[place] = other.arguments[place] }
    }
    given.formUnion(other.given.subtracting(names))
  }

  private func place(of name: String) -> Int? {
    description.schema.parameters.firstIndex { $0.name == name }
  }
}
