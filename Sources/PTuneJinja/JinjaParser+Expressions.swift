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
    let value = try operators(0)
    guard allowsConditional, word("if") else { return value }
    let condition = try operators(0)
    guard word("else") else { return .conditional(condition, then: value, otherwise: nil) }
    try descend()
    defer { depth -= 1 }
    return .conditional(condition, then: value, otherwise: try expression())
  }

  /// How tight operators bind; `not` before a value stands between `and` and these of comparison.
  private static let strengths = [
    "or": 0, "and": 1, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3, "in": 3, "not in": 3, "+": 4,
    "-": 4,
    "~": 5, "*": 6, "/": 6, "//": 6, "%": 6, "**": 7,
  ]
  private static let negation = 2

  /// A value, or some with operators between that bind at least so tight.
  private mutating func operators(_ least: Int) throws(JinjaError) -> JinjaExpression {
    try descend()
    defer { depth -= 1 }
    var left = try operand(least)
    while let (sign, strength) = nextOperator(), strength >= least {
      let line = line
      position += sign == "not in" ? 2 : 1
      try link()
      let right = try operators(strength + 1)
      left =
        sign == "not in"
        ? .unary("not", .binary("in", left, right, line: line), line: line)
        : .binary(sign, left, right, line: line)
    }
    return left
  }

  private func nextOperator() -> (sign: String, strength: Int)? {
    var sign: String
    switch token {
    case .symbol(let text): sign = text
    case .name("not"):
      guard position + 1 < tokens.count, tokens[position + 1].token == .name("in") else { return nil }
      sign = "not in"
    case .name(let word) where ["or", "and", "in"].contains(word): sign = word
    default: return nil
    }
    return Self.strengths[sign].map { (sign, $0) }
  }

  private mutating func operand(_ least: Int) throws(JinjaError) -> JinjaExpression {
    let line = line
    if least <= Self.negation, word("not") { return .unary("not", try operators(Self.negation), line: line) }
    for sign in ["-", "+"] where symbol(sign) {
      try descend()
      defer { depth -= 1 }
      // Tighter than any operator.
      return .unary(sign, try operand(.max), line: line)
    }
    return try filtered(try postfix(try primary()))
  }

  private mutating func primary() throws(JinjaError) -> JinjaExpression {
    if symbol("(") {
      if symbol(")") { return .list([]) }
      let inner = try tuple()
      try expect(.symbol(")"), "')'")
      return inner
    }
    if symbol("[") { return try list() }
    if symbol("{") { return try dictionary() }
    return try literal()
  }

  private mutating func literal() throws(JinjaError) -> JinjaExpression {
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
    default: throw JinjaError("expected an expression", line: line)
    }
  }

  private mutating func list() throws(JinjaError) -> JinjaExpression {
    var elements: [JinjaExpression] = []
    while !symbol("]") {
      elements.append(try expression())
      if !symbol(","), token != .symbol("]") { throw JinjaError("expected ',' or ']'", line: line) }
    }
    return .list(elements)
  }

  private mutating func dictionary() throws(JinjaError) -> JinjaExpression {
    var members: [(JinjaExpression, JinjaExpression)] = []
    while !symbol("}") {
      let key = try expression()
      try expect(.symbol(":"), "':'")
      members.append((key, try expression()))
      if !symbol(","), token != .symbol("}") { throw JinjaError("expected ',' or '}'", line: line) }
    }
    return .dictionary(members)
  }

  private mutating func postfix(_ value: JinjaExpression) throws(JinjaError) -> JinjaExpression {
    var value = value
    while true {
      let line = line
      if symbol(".") {
        try link()
        value = .attribute(value, try name("a member's name"), line: line)
      } else if symbol("[") {
        try link()
        value = try subscripted(value, line)
      } else if symbol("(") {
        try link()
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
        try link()
        let filter = try name("a filter's name")
        value = .filter(value, filter, symbol("(") ? try arguments() : JinjaArguments(), line: line)
      } else if word("is") {
        try link()
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
