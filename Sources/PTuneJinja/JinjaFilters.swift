import PTuneFormats

/// Filters: `value|name(…)`.
enum JinjaFilters {
  static func apply(
    _ name: String, to value: JinjaValue, _ arguments: [JinjaValue], _ named: JinjaDictionary
  ) throws(JinjaError) -> JinjaValue {
    switch name {
    case "trim":
      let set = try arguments.first.map { set throws(JinjaError) in try set.text() }
      return .string(JinjaText.stripped(try value.text(), of: set))
    case "upper": return .string(try value.text().uppercased())
    case "lower": return .string(try value.text().lowercased())
    case "capitalize":
      let text = try value.text()
      return .string(text.prefix(1).uppercased() + text.dropFirst().lowercased())
    case "title": return .string(titled(try value.text()))
    case "string": return .string(try value.text())
    case "safe", "escape", "e", "forceescape": return value
    case "tojson": return try json(value, arguments, named)
    case "default", "d":
      let isBlank = (named["boolean"] ?? (arguments.count > 1 ? arguments[1] : .bool(false))).isTrue
      if case .undefined = value { return arguments.first ?? named["default_value"] ?? .string("") }
      return isBlank && !value.isTrue ? arguments.first ?? .string("") : value
    case "int":
      if let number = value.number { return .int(Int(exactly: number.rounded(.towardZero)) ?? 0) }
      return .int(Int(JinjaText.stripped(try value.text(), of: nil)) ?? arguments.first?.integer ?? 0)
    case "float":
      if let number = value.number { return .double(number) }
      return .double(Double(JinjaText.stripped(try value.text(), of: nil)) ?? 0)
    case "abs":
      return value.integer.map { .int(Swift.abs(Swift.max($0, -.max))) }
        ?? .double(Swift.abs(value.number ?? 0))
    case "replace":
      guard arguments.count >= 2 else { throw JinjaError("'replace' takes two texts") }
      return .string(
        JinjaText.replaced(
          Array(try value.text().unicodeScalars), try arguments[0].text(), with: try arguments[1].text()))
    case "indent": return .string(try indented(try value.text(), arguments, named))
    case "items": return try JinjaMembers.call("items", of: value, [], JinjaDictionary())
    default: return try applyToElements(name, of: value, arguments, named)
    }
  }

  private static func applyToElements(
    _ name: String, of value: JinjaValue, _ arguments: [JinjaValue], _ named: JinjaDictionary
  ) throws(JinjaError) -> JinjaValue {
    let known = [
      "length", "count", "first", "last", "list", "join", "reverse", "map", "select", "reject", "selectattr",
      "rejectattr", "unique", "sort",
    ]
    guard known.contains(name) else { throw JinjaError("ptune does not know the filter '\(name)'") }
    guard let elements = value.elements else { throw JinjaError("'\(name)' of \(value.kind)") }
    switch name {
    case "length", "count": return .int(elements.count)
    case "first": return elements.first ?? .undefined
    case "last": return elements.last ?? .undefined
    case "reverse":
      guard case .string = value else { return .list(elements.reversed()) }
      return .string(JinjaText.string(try value.text().unicodeScalars.reversed()))
    case "join":
      let separator = try (arguments.first ?? named["d"])?.text() ?? ""
      var texts: [String] = []
      for element in elements { texts.append(try element.text()) }
      return .string(texts.joined(separator: separator))
    case "map": return .list(try mapped(elements, arguments, named))
    case "select", "reject":
      return .list(try kept(elements, name == "select", arguments) { $0 })
    case "selectattr", "rejectattr":
      guard let attribute = try arguments.first?.text() else {
        throw JinjaError("'\(name)' takes a member's name")
      }
      return .list(
        try kept(elements, name == "selectattr", Array(arguments.dropFirst())) {
          JinjaMembers.own(attribute, of: $0) ?? .undefined
        })
    case "unique":
      return .list(
        elements.reduce(into: []) { unique, element in
          if !unique.contains(where: { JinjaValue.equals($0, element) }) { unique.append(element) }
        })
    case "sort":
      guard elements.allSatisfy({ JinjaValue.isLess($0, elements[0]) != nil }) else {
        throw JinjaError("these elements have no order")
      }
      return .list(elements.sorted { JinjaValue.isLess($0, $1) ?? false })
    default: return .list(elements)
    }
  }

  private static func mapped(
    _ elements: [JinjaValue], _ arguments: [JinjaValue], _ named: JinjaDictionary
  ) throws(JinjaError) -> [JinjaValue] {
    var result: [JinjaValue] = []
    if let attribute = try named["attribute"]?.text() {
      for element in elements {
        result.append(JinjaMembers.own(attribute, of: element) ?? named["default"] ?? .undefined)
      }
    } else if let filter = try arguments.first?.text() {
      for element in elements {
        result.append(try apply(filter, to: element, Array(arguments.dropFirst()), named))
      }
    } else {
      throw JinjaError("'map' takes a filter or an attribute")
    }
    return result
  }

  private static func kept(
    _ elements: [JinjaValue], _ wanted: Bool, _ arguments: [JinjaValue], _ part: (JinjaValue) -> JinjaValue
  ) throws(JinjaError) -> [JinjaValue] {
    var kept: [JinjaValue] = []
    for element in elements {
      let holds =
        arguments.isEmpty
        ? part(element).isTrue
        : try JinjaTests.holds(try arguments[0].text(), part(element), Array(arguments.dropFirst()))
      if holds == wanted { kept.append(element) }
    }
    return kept
  }

  /// As Python's `json.dumps(…, ensure_ascii=False)`.
  private static func json(
    _ value: JinjaValue, _ arguments: [JinjaValue], _ named: JinjaDictionary
  ) throws(JinjaError) -> JinjaValue {
    guard let document = value.json else { throw JinjaError("'tojson' of \(value.kind)") }
    guard let indentation = (named["indent"] ?? arguments.first)?.integer else {
      return .string(document.text(.line))
    }
    return .string(
      document.text(JSONStyle(indentation: Swift.max(0, indentation), trailingNewline: false)))
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
    _ text: String, _ arguments: [JinjaValue], _ named: JinjaDictionary
  ) throws(JinjaError) -> String {
    let width = (arguments.first ?? named["width"])?.integer ?? 4
    let isFirstToo = (named["first"] ?? (arguments.count > 1 ? arguments[1] : .bool(false))).isTrue
    guard (0...1000).contains(width) else { throw JinjaError("'indent' by \(width)") }
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
    _ name: String, _ value: JinjaValue, _ arguments: [JinjaValue]
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
    case ("iterable", _): return value.elements != nil
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
    case ("eq", _), ("equalto", _), ("sameas", _): return JinjaValue.equals(value, argument)
    case ("ne", _): return !JinjaValue.equals(value, argument)
    case ("in", _): return try JinjaOperators.binary("in", value, argument).isTrue
    case ("gt", _): return try JinjaOperators.binary(">", value, argument).isTrue
    case ("lt", _): return try JinjaOperators.binary("<", value, argument).isTrue
    case ("ge", _): return try JinjaOperators.binary(">=", value, argument).isTrue
    case ("le", _): return try JinjaOperators.binary("<=", value, argument).isTrue
    default: throw JinjaError("ptune does not know the test '\(name)'")
    }
  }
}
