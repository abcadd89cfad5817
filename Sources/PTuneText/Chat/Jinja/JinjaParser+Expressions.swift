extension JinjaParser {
  /// An expression, or several with commas between, which are a list then.
  mutating func tuple() throws(JinjaError) -> JinjaExpression {
    let first = try expression()
    guard token == .symbol(",") else { return first }
    var elements = [first]
    while symbol(",") { elements.append(try expression()) }
    return .list(elements)
  }

  mutating func expression(allowsConditional: Bool = true) throws(JinjaError) -> JinjaExpression {
    try nested { parser throws(JinjaError) in
      let value = try parser.either()
      guard allowsConditional, parser.word("if") else { return value }
      let condition = try parser.either()
      return .conditional(
        condition, then: value, otherwise: parser.word("else") ? try parser.expression() : nil)
    }
  }

  private mutating func either() throws(JinjaError) -> JinjaExpression {
    var left = try both()
    while token == .name("or") {
      let line = line
      position += 1
      left = .binary("or", left, try both(), line: line)
    }
    return left
  }

  private mutating func both() throws(JinjaError) -> JinjaExpression {
    var left = try negation()
    while token == .name("and") {
      let line = line
      position += 1
      left = .binary("and", left, try negation(), line: line)
    }
    return left
  }

  private mutating func negation() throws(JinjaError) -> JinjaExpression {
    let line = line
    guard word("not") else { return try comparison() }
    return .unary("not", try nested { parser throws(JinjaError) in try parser.negation() }, line: line)
  }

  private mutating func comparison() throws(JinjaError) -> JinjaExpression {
    var left = try binary(0)
    while true {
      let line = line
      if case .symbol(let text)? = token, ["==", "!=", "<", ">", "<=", ">="].contains(text) {
        position += 1
        left = .binary(text, left, try binary(0), line: line)
      } else if word("in") {
        left = .binary("in", left, try binary(0), line: line)
      } else if token == .name("not"), position + 1 < tokens.count, tokens[position + 1].token == .name("in")
      {
        position += 2
        left = .unary("not", .binary("in", left, try binary(0), line: line), line: line)
      } else {
        return left
      }
    }
  }

  /// What binds tighter than comparisons, the loosest first.
  private static let levels = [["+", "-"], ["~"], ["*", "/", "//", "%"], ["**"]]

  private mutating func binary(_ level: Int) throws(JinjaError) -> JinjaExpression {
    guard level < Self.levels.count else { return try unary() }
    var left = try binary(level + 1)
    while case .symbol(let text)? = token, Self.levels[level].contains(text) {
      let line = line
      position += 1
      left = .binary(text, left, try binary(level + 1), line: line)
    }
    return left
  }

  private mutating func unary() throws(JinjaError) -> JinjaExpression {
    let line = line
    for sign in ["-", "+"] where symbol(sign) {
      return .unary(sign, try nested { parser throws(JinjaError) in try parser.unary() }, line: line)
    }
    return try filtered(try postfix(try primary()))
  }

  private mutating func primary() throws(JinjaError) -> JinjaExpression {
    let line = line
    guard let token else { throw JinjaError("expected an expression", line: line) }
    position += 1
    switch token {
    case .string(var text):
      while case .string(let more)? = self.token {
        text += more
        position += 1
      }
      return .literal(.string(text))
    case .int(let value): return .literal(.int(value))
    case .double(let value): return .literal(.double(value))
    case .name("true"), .name("True"): return .literal(.bool(true))
    case .name("false"), .name("False"): return .literal(.bool(false))
    case .name("none"), .name("None"): return .literal(.none)
    case .name(let name): return .name(name, line: line)
    case .symbol("("):
      if symbol(")") { return .list([]) }
      let inner = try tuple()
      try expect(.symbol(")"), "')'")
      return inner
    case .symbol("["):
      var elements: [JinjaExpression] = []
      while !symbol("]") {
        elements.append(try expression())
        if !symbol(","), self.token != .symbol("]") {
          throw JinjaError("expected ',' or ']'", line: self.line)
        }
      }
      return .list(elements)
    case .symbol("{"):
      var members: [(JinjaExpression, JinjaExpression)] = []
      while !symbol("}") {
        let key = try expression()
        try expect(.symbol(":"), "':'")
        members.append((key, try expression()))
        if !symbol(","), self.token != .symbol("}") {
          throw JinjaError("expected ',' or '}'", line: self.line)
        }
      }
      return .dictionary(members)
    default: throw JinjaError("expected an expression", line: line)
    }
  }

  private mutating func postfix(_ value: JinjaExpression) throws(JinjaError) -> JinjaExpression {
    var value = value
    while true {
      let line = line
      if symbol(".") {
        value = .attribute(value, try name("a member's name"), line: line)
      } else if symbol("[") {
        value = try subscripted(value, line)
      } else if symbol("(") {
        value = .call(value, try arguments(), line: line)
      } else {
        return value
      }
    }
  }

  private mutating func subscripted(_ value: JinjaExpression, _ line: Int) throws(JinjaError)
    -> JinjaExpression
  {
    var parts: [JinjaExpression?] = [nil]
    while !symbol("]") {
      if symbol(":") {
        parts.append(nil)
      } else {
        guard parts[parts.count - 1] == nil else { throw JinjaError("expected ']'", line: self.line) }
        parts[parts.count - 1] = try expression()
      }
    }
    switch parts.count {
    case 1:
      guard let index = parts[0] else { throw JinjaError("expected an index", line: line) }
      return .item(value, index, line: line)
    case 2, 3:
      return .slice(value, from: parts[0], to: parts[1], step: parts.count == 3 ? parts[2] : nil, line: line)
    default: throw JinjaError("expected ']'", line: line)
    }
  }

  private mutating func arguments() throws(JinjaError) -> JinjaArguments {
    var arguments = JinjaArguments()
    while !symbol(")") {
      if case .name(let name)? = token, position + 1 < tokens.count,
        tokens[position + 1].token == .symbol("=")
      {
        position += 2
        arguments.named.append((name, try expression()))
      } else {
        arguments.positional.append(try expression())
      }
      if !symbol(","), token != .symbol(")") { throw JinjaError("expected ',' or ')'", line: line) }
    }
    return arguments
  }

  private mutating func filtered(_ value: JinjaExpression) throws(JinjaError) -> JinjaExpression {
    var value = value
    while true {
      let line = line
      if symbol("|") {
        let filter = try name("a filter's name")
        value = .filter(value, filter, symbol("(") ? try arguments() : JinjaArguments(), line: line)
      } else if word("is") {
        let isNegated = word("not")
        let test = try name("a test's name")
        var arguments = JinjaArguments()
        if symbol("(") {
          arguments = try self.arguments()
        } else if JinjaTests.withArgument.contains(test) {
          arguments.positional = [try postfix(try primary())]
        }
        value = .test(value, test, arguments, isNegated: isNegated, line: line)
      } else {
        return value
      }
    }
  }
}
