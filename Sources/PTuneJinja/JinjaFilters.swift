import PTuneFormats

/// Filters: `value|name(…)`.
enum JinjaFilters {
  static func apply(
    _ name: String, to value: JinjaValue, _ arguments: [JinjaValue], _ named: JinjaDictionary,
    _ budget: JinjaBudget
  ) throws(JinjaError) -> JinjaValue {
    switch name {
    case "trim":
      let set = try arguments.first.map { set throws(JinjaError) in try set.text() }
      return try budget.made(.string(try JinjaText.stripped(try value.text(), of: set, budget)))
    case "upper", "lower", "capitalize", "title": return .string(try recased(try value.text(), name, budget))
    case "string": return .string(try value.text())
    case "safe", "escape", "e", "forceescape": return value
    case "tojson": return try json(value, arguments, named, budget)
    case "default", "d":
      let isBlank = (named["boolean"] ?? (arguments.count > 1 ? arguments[1] : .bool(false))).isTrue
      if case .undefined = value { return arguments.first ?? named["default_value"] ?? .string("") }
      return isBlank && !value.isTrue ? arguments.first ?? .string("") : value
    case "int":
      if let number = value.number { return .int(Int(exactly: number.rounded(.towardZero)) ?? 0) }
      return .int(
        Int(try JinjaText.stripped(try value.text(), of: nil, budget)) ?? arguments.first?.integer ?? 0)
    case "float":
      if let number = value.number { return .double(number) }
      return .double(Double(try JinjaText.stripped(try value.text(), of: nil, budget)) ?? 0)
    case "abs":
      return value.integer.map { .int(Swift.abs(Swift.max($0, -.max))) }
        ?? .double(Swift.abs(value.number ?? 0))
    case "replace":
      guard arguments.count >= 2 else { throw JinjaError("'replace' takes two texts") }
      return .string(
        try JinjaText.replaced(
          try value.text(), try arguments[0].text(), with: try arguments[1].text(), budget))
    case "indent": return .string(try indented(try value.text(), arguments, named, budget))
    case "items": return try JinjaMembers.call("items", of: value, [], JinjaDictionary(), budget)
    default: return try applyToElements(name, of: value, arguments, named, budget)
    }
  }

  private static func applyToElements(
    _ name: String, of value: JinjaValue, _ arguments: [JinjaValue], _ named: JinjaDictionary,
    _ budget: JinjaBudget
  ) throws(JinjaError) -> JinjaValue {
    let known = [
      "length", "count", "first", "last", "list", "join", "reverse", "map", "select", "reject", "selectattr",
      "rejectattr", "unique", "sort",
    ]
    guard known.contains(name) else { throw JinjaError("ptune does not know the filter '\(name)'") }
    if name == "length" || name == "count", case .string(let text) = value {
      try budget.take(work: text.utf8.count / 16)
      return .int(text.unicodeScalars.count)
    }
    guard let elements = try budget.elements(of: value) else {
      throw JinjaError("'\(name)' of \(value.kind)")
    }
    switch name {
    case "length", "count": return .int(elements.count)
    case "first": return elements.first ?? .undefined
    case "last": return elements.last ?? .undefined
    case "reverse":
      guard case .string = value else { return try budget.made(.list(elements.reversed())) }
      return .string(JinjaText.string(try value.text().unicodeScalars.reversed()))
    case "join":
      let separator = try (arguments.first ?? named["d"])?.text() ?? ""
      try budget.take(bytes: separator.utf8.count, times: elements.count)
      var texts: [String] = []
      for element in elements {
        let text = try element.text()
        try budget.take(bytes: text.utf8.count)
        texts.append(text)
      }
      return .string(texts.joined(separator: separator))
    case "map": return try budget.made(.list(try mapped(elements, arguments, named, budget)))
    case "select", "reject":
      return try budget.made(.list(try kept(elements, name == "select", arguments, budget) { $0 }))
    case "selectattr", "rejectattr":
      guard let attribute = try arguments.first?.text() else {
        throw JinjaError("'\(name)' takes a member's name")
      }
      return try budget.made(
        .list(
          try kept(elements, name == "selectattr", Array(arguments.dropFirst()), budget) {
            JinjaMembers.own(attribute, of: $0) ?? .undefined
          }))
    case "unique":
      var unique: [JinjaValue] = []
      for element in elements where try !JinjaOperators.binary("in", element, .list(unique), budget).isTrue {
        unique.append(element)
      }
      return try budget.made(.list(unique))
    case "sort":
      guard elements.allSatisfy({ JinjaValue.isLess($0, elements[0]) != nil }) else {
        throw JinjaError("these elements have no order")
      }
      // As many comparisons as any sort takes, of texts that may be equal to their ends.
      let longest = elements.reduce(1) { longest, element in
        if case .string(let text) = element { max(longest, text.utf8.count) } else { longest }
      }
      let comparisons = elements.count * (Int.bitWidth - elements.count.leadingZeroBitCount)
      try budget.take(bytes: elements.count, times: JinjaBudget.elementBytes)
      let (work, overflow) = comparisons.multipliedReportingOverflow(by: longest)
      try budget.take(work: overflow ? .max : work)
      return .list(elements.sorted { JinjaValue.isLess($0, $1) ?? false })
    default: return try budget.made(.list(elements))
    }
  }

  private static func mapped(
    _ elements: [JinjaValue], _ arguments: [JinjaValue], _ named: JinjaDictionary,
    _ budget: JinjaBudget
  ) throws(JinjaError) -> [JinjaValue] {
    var result: [JinjaValue] = []
    if let attribute = try named["attribute"]?.text() {
      for element in elements {
        result.append(JinjaMembers.own(attribute, of: element) ?? named["default"] ?? .undefined)
      }
    } else if let filter = try arguments.first?.text() {
      for element in elements {
        try budget.take(steps: 1)
        result.append(try apply(filter, to: element, Array(arguments.dropFirst()), named, budget))
      }
    } else {
      throw JinjaError("'map' takes a filter or an attribute")
    }
    return result
  }

  private static func kept(
    _ elements: [JinjaValue], _ wanted: Bool, _ arguments: [JinjaValue], _ budget: JinjaBudget,
    _ part: (JinjaValue) -> JinjaValue
  ) throws(JinjaError) -> [JinjaValue] {
    var kept: [JinjaValue] = []
    for element in elements {
      let holds =
        arguments.isEmpty
        ? part(element).isTrue
        : try JinjaTests.holds(try arguments[0].text(), part(element), Array(arguments.dropFirst()), budget)
      if holds == wanted { kept.append(element) }
    }
    return kept
  }

  /// As Python's `json.dumps(…, ensure_ascii=False)`.
  private static func json(
    _ value: JinjaValue, _ arguments: [JinjaValue], _ named: JinjaDictionary,
    _ budget: JinjaBudget
  ) throws(JinjaError) -> JinjaValue {
    let indentation = (named["indent"] ?? arguments.first)?.integer
    guard (indentation ?? 0) <= 64 else { throw JinjaError("'tojson' indents by \(indentation ?? 0)") }
    try budget.takeJSON(of: value, indentation: indentation ?? 0)
    guard let document = value.json else { throw JinjaError("'tojson' of \(value.kind)") }
    guard let indentation else { return .string(document.text(.line)) }
    return .string(document.text(JSONStyle(indentation: max(0, indentation), trailingNewline: false)))
  }

  private static func recased(
    _ text: String, _ filter: String, _ budget: JinjaBudget
  ) throws(JinjaError) -> String {
    try budget.read(text)
    // A letter may become three.
    try budget.take(bytes: text.utf8.count, times: 3)
    switch filter {
    case "upper": return text.uppercased()
    case "lower": return text.lowercased()
    case "title": return titled(text)
    default: return text.prefix(1).uppercased() + text.dropFirst().lowercased()
    }
  }

  private static func titled(_ text: String) -> String {
    var (result, isInWord) = ("", false)
    for character in text {
      result += isInWord ? character.lowercased() : character.uppercased()
      isInWord = character.isLetter || character.isNumber
    }
    return result
  }

  private static func indented(
    _ text: String, _ arguments: [JinjaValue], _ named: JinjaDictionary,
    _ budget: JinjaBudget
  ) throws(JinjaError) -> String {
    let width = (arguments.first ?? named["width"])?.integer ?? 4
    let isFirstToo = (named["first"] ?? (arguments.count > 1 ? arguments[1] : .bool(false))).isTrue
    guard (0...1000).contains(width) else { throw JinjaError("'indent' by \(width)") }
    try budget.read(text)
    try budget.take(bytes: text.utf8.count)
    try budget.take(bytes: width, times: text.utf8.count { $0 == 0x0A } + 1)
    let blanks = String(repeating: " ", count: width)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
      index, line in
      line.isEmpty || index == 0 && !isFirstToo ? String(line) : blanks + line
    }
    return lines.joined(separator: "\n")
  }
}

/// Tests: `value is name`.
enum JinjaTests {
  /// Those that take a value without parentheses, too.
  static let withArgument: Set<String> = [
    "eq", "equalto", "ne", "in", "divisibleby", "gt", "lt", "ge", "le", "sameas",
  ]

  static func holds(
    _ name: String, _ value: JinjaValue, _ arguments: [JinjaValue], _ budget: JinjaBudget
  ) throws(JinjaError) -> Bool {
    let argument = arguments.first ?? .undefined
    switch (name, value) {
    case ("defined", .undefined): return false
    case ("defined", _): return true
    case ("undefined", .undefined): return true
    case ("none", .none): return true
    case ("string", .string): return true
    case ("boolean", .bool): return true
    case ("integer", .int): return true
    case ("float", .double): return true
    case ("number", .int), ("number", .double), ("number", .bool): return true
    case ("mapping", .dictionary), ("mapping", .namespace): return true
    case ("sequence", .list), ("sequence", .string), ("sequence", .dictionary): return true
    case ("iterable", .list), ("iterable", .dictionary), ("iterable", .string), ("iterable", .undefined):
      return true
    case ("iterable", _): return false
    case ("callable", .function): return true
    case ("true", .bool(let value)): return value
    case ("false", .bool(let value)): return !value
    case ("undefined", _), ("none", _), ("string", _), ("boolean", _), ("integer", _), ("float", _),
      ("number", _), ("mapping", _), ("sequence", _), ("callable", _), ("true", _), ("false", _):
      return false
    case ("odd", _): return (value.integer ?? 0) & 1 == 1
    case ("even", _): return (value.integer ?? 1) & 1 == 0
    case ("divisibleby", _):
      guard let number = value.integer, let by = argument.integer, by > 0 else { return false }
      return number % by == 0
    case ("eq", _), ("equalto", _), ("sameas", _): return try budget.equals(value, argument)
    case ("ne", _): return try !budget.equals(value, argument)
    case ("in", _): return try JinjaOperators.binary("in", value, argument, budget).isTrue
    case ("gt", _): return try JinjaOperators.binary(">", value, argument, budget).isTrue
    case ("lt", _): return try JinjaOperators.binary("<", value, argument, budget).isTrue
    case ("ge", _): return try JinjaOperators.binary(">=", value, argument, budget).isTrue
    case ("le", _): return try JinjaOperators.binary("<=", value, argument, budget).isTrue
    default: throw JinjaError("ptune does not know the test '\(name)'")
    }
  }
}
