import PTune

extension Schema {
  /// Parses a schema string.
  ///
  /// - Throws: `SchemaError` with the place of the first mistake.
  public init(parsing text: String) throws(SchemaError) {
    var scanner = SchemaScanner(text)
    name = try scanner.word("the component's name")
    try scanner.require("(")
    var parameters: [Parameter] = []
    if !scanner.take(")") {
      repeat {
        parameters.append(try scanner.parameter(after: parameters))
      } while scanner.take(",")
      guard scanner.take(")") else { throw scanner.expected("',' or ')'") }
    }
    guard scanner.next == nil else { throw scanner.expected("the end") }
    self.parameters = parameters
  }
}

extension SchemaScanner {
  /// `type name[=literal] [limits] ["documentation"]`
  fileprivate mutating func parameter(after others: [Schema.Parameter]) throws(SchemaError)
    -> Schema.Parameter
  {
    _ = next
    let typePlace = offset
    let typeName = try word("a type")
    guard let type = ParameterType(rawValue: typeName) else {
      let nearest = Suggestion.nearest(typeName, among: ParameterType.allCases.map(\.rawValue))
      throw error(.unknownType(typeName, nearest: nearest), at: typePlace)
    }
    _ = next
    let namePlace = offset
    let name = try word("the parameter's name")
    guard !others.contains(where: { $0.name == name }) else {
      throw error(.repeatedParameter(name), at: namePlace)
    }
    var defaultPlace = offset
    var defaultValue: HyperparameterValue?
    if take("=") {
      _ = next
      defaultPlace = offset
      defaultValue = try literal(of: type, for: name)
    }
    _ = next
    let limitsPlace = offset
    let limits = try limits(of: type, for: name)
    let documentation = next == UInt8(ascii: "\"") ? try text("what the parameter is") : ""

    if case .range(let lowest?, let highest?) = limits, lowest.number > highest.number, let limits {
      throw error(.emptyRange(parameter: name, limits: "\(limits)"), at: limitsPlace)
    }
    if let defaultValue, let limits, !limits.allow(defaultValue) {
      throw error(
        .defaultOutsideLimits(parameter: name, value: "\(defaultValue)", limits: "\(limits)"),
        at: defaultPlace)
    }
    return Schema.Parameter(
      name: name, type: type, defaultValue: defaultValue, limits: limits, documentation: documentation)
  }

  /// `20`, `0.1`, `true`, `"text"`, `["a", "b"]`
  private mutating func literal(of type: ParameterType, for parameter: String) throws(SchemaError)
    -> HyperparameterValue
  {
    let place = offset
    let value = try anyLiteral()
    switch (type, value) {
    case (.int, .int(let number)):
      guard Int32(exactly: number) != nil else {
        throw error(.numberTooLarge("\(number)", type: type), at: place)
      }
      return value
    case (.long, .int), (.bool, .bool), (.string, .string), (.strings, .strings): return value
    case (.float, .int(let number)), (.double, .int(let number)): return .double(Double(number))
    case (.float, .double(let number)):
      guard Float(number).isFinite else { throw error(.numberTooLarge("\(number)", type: type), at: place) }
      return value
    case (.double, .double): return value
    default:
      throw error(.defaultOfOtherType(parameter: parameter, type: type, found: value.kind), at: place)
    }
  }

  private mutating func anyLiteral() throws(SchemaError) -> HyperparameterValue {
    switch next {
    case UInt8(ascii: "\""): return .string(try text("text"))
    case UInt8(ascii: "["): return .strings(try list())
    case UInt8(ascii: "t") where take("true"): return .bool(true)
    case UInt8(ascii: "f") where take("false"): return .bool(false)
    default: return try number(as: nil)
    }
  }

  private mutating func list() throws(SchemaError) -> [String] {
    try require("[")
    var items: [String] = []
    if take("]") { return items }
    repeat { items.append(try text("text")) } while take(",")
    guard take("]") else { throw expected("',' or ']'") }
    return items
  }

  /// A number as `.int` if it is written as one, else as `.double`; as the one that `type` wants, if given.
  private mutating func number(as type: ParameterType?) throws(SchemaError) -> HyperparameterValue {
    _ = next
    let place = offset
    let characters = try number(type == nil ? "a value" : "a number")
    if type != .float, type != .double, characters.utf8.allSatisfy({ $0 != 0x2E && ($0 | 0x20) != 0x65 }) {
      guard let whole = Int(characters) else {
        throw error(.numberTooLarge(characters, type: type ?? .long), at: place)
      }
      return .int(whole)
    }
    guard type != .int, type != .long, let number = Double(characters), number.isFinite else {
      throw error(.expected(type?.expectation ?? "a number", found: "'\(characters)'"), at: place)
    }
    return .double(number)
  }

  /// `[lo..hi]` or `{a|b|c}`, if either stands here.
  private mutating func limits(of type: ParameterType, for parameter: String) throws(SchemaError)
    -> Schema.Limits?
  {
    let opening = next
    guard opening == UInt8(ascii: "[") || opening == UInt8(ascii: "{") else { return nil }
    let isRange = opening == UInt8(ascii: "[")
    guard type != .bool, isRange == type.isNumber else {
      throw error(.limitsOfOtherType(parameter: parameter, type: type), at: offset)
    }
    if isRange {
      try require("[")
      let lowest = next == UInt8(ascii: ".") ? nil : try number(as: type)
      try require("..")
      let highest = next == UInt8(ascii: "]") ? nil : try number(as: type)
      try require("]")
      return .range(lowest: lowest, highest: highest)
    }
    try require("{")
    var choices: [String] = []
    repeat { choices.append(try choice()) } while take("|")
    guard take("}") else { throw expected("'|' or '}'") }
    return .choices(choices)
  }
}

extension Schema.Limits {
  /// Whether a value of the parameter's type lies within them.
  func allow(_ value: HyperparameterValue) -> Bool {
    switch (self, value) {
    case (.choices(let choices), .string(let text)): choices.contains(text)
    case (.choices(let choices), .strings(let texts)): texts.allSatisfy(choices.contains)
    case (.range(let lowest, let highest), .int(let number)):
      // NB: whole numbers are compared as such; beyond 2^53 a Double would round them.
      if case .int(let lowest)? = lowest, number < lowest {
        false
      } else if case .int(let highest)? = highest, number > highest {
        false
      } else {
        true
      }
    case (.range(let lowest, let highest), .double(let number)):
      (lowest.map { $0.number <= number } ?? true) && (highest.map { number <= $0.number } ?? true)
    default: true
    }
  }
}

extension HyperparameterValue {
  /// A numeric value as a Double; NaN for others.
  fileprivate var number: Double {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    case .bool, .string, .strings: .nan
    }
  }
}
