import PTune

extension Schema {
  /// The arguments of `create` for what the user wrote: checked, completed with defaults, in the schema's order.
  ///
  /// - Throws: `HyperparameterError` for the first value that does not fit: an unknown key before any other.
  public func arguments(from values: [String: HyperparameterValue]) throws(HyperparameterError)
    -> [TypedArgument]
  {
    for key in values.keys.sorted() where !parameters.contains(where: { $0.name == key }) {
      throw unknown(key)
    }
    var arguments: [TypedArgument] = []
    for parameter in parameters {
      guard let value = values[parameter.name] ?? parameter.defaultValue else {
        throw error(parameter.name, .missing(parameter.type, documentation: parameter.documentation))
      }
      arguments.append(try argument(value, for: parameter))
    }
    return arguments
  }

  /// The argument of `create` for one value.
  ///
  /// - Throws: `HyperparameterError` if it does not fit, or if there is no parameter of this name.
  func argument(_ value: HyperparameterValue, named name: String) throws(HyperparameterError) -> TypedArgument
  {
    guard let parameter = parameters.first(where: { $0.name == name }) else { throw unknown(name) }
    return try argument(value, for: parameter)
  }

  private func unknown(_ key: String) -> HyperparameterError {
    let known = parameters.map(\.name)
    return error(key, .unknown(nearest: Suggestion.nearest(key, among: known), known: known))
  }

  /// The value as the parameter's C type, within its limits.
  private func argument(_ value: HyperparameterValue, for parameter: Parameter) throws(HyperparameterError)
    -> TypedArgument
  {
    let typed = try typed(value, for: parameter)
    guard let limits = parameter.limits, !limits.allow(widened(value, to: parameter.type)) else {
      return typed
    }
    guard case .choices(let choices) = limits else {
      throw error(parameter.name, .outOfRange(value: "\(value)", limits: "\(limits)"))
    }
    let texts: [String] =
      switch value {
      case .string(let text): [text]
      case .strings(let texts): texts
      default: []
      }
    let wrong = texts.first { !choices.contains($0) } ?? "\(value)"
    throw error(
      parameter.name,
      .notAChoice(value: wrong, choices: choices, nearest: Suggestion.nearest(wrong, among: choices)))
  }

  private func typed(_ value: HyperparameterValue, for parameter: Parameter) throws(HyperparameterError)
    -> TypedArgument
  {
    switch (parameter.type, value) {
    case (.int, .int(let number)):
      guard let narrow = Int32(exactly: number) else {
        let limits = parameter.limits?.description ?? "[\(Int32.min)..\(Int32.max)]"
        throw error(parameter.name, .outOfRange(value: "\(number)", limits: limits))
      }
      return .int(narrow)
    case (.long, .int(let number)): return .long(Int64(number))
    case (.float, .int(let number)): return .float(Float(number))
    case (.float, .double(let number)):
      guard Float(number).isFinite else {
        let greatest = Float.greatestFiniteMagnitude
        throw error(parameter.name, .outOfRange(value: "\(number)", limits: "[-\(greatest)..\(greatest)]"))
      }
      return .float(Float(number))
    case (.double, .int(let number)): return .double(Double(number))
    case (.double, .double(let number)):
      guard number.isFinite else {
        throw error(parameter.name, .outOfRange(value: "\(number)", limits: "the finite numbers"))
      }
      return .double(number)
    case (.bool, .bool(let flag)): return .bool(flag)
    case (.string, .string(let text)):
      try checkCanBeC(text, parameter)
      return .string(text)
    case (.strings, .strings(let texts)):
      for text in texts { try checkCanBeC(text, parameter) }
      return .strings(texts)
    default:
      throw error(parameter.name, .wrongType(expected: parameter.type, found: value))
    }
  }

  private func checkCanBeC(_ text: String, _ parameter: Parameter) throws(HyperparameterError) {
    guard !text.utf8.contains(0) else { throw error(parameter.name, .zeroCharacter) }
  }

  private func widened(_ value: HyperparameterValue, to type: ParameterType) -> HyperparameterValue {
    if case .int(let number) = value, type == .float || type == .double { return .double(Double(number)) }
    return value
  }

  private func error(_ parameter: String, _ problem: HyperparameterError.Problem) -> HyperparameterError {
    HyperparameterError(
      component: name.map { $0 == "_" ? "-" : String($0) }.joined(), parameter: parameter, problem: problem)
  }
}
