/// Renders a template: Jinja's own rules, of which those parts that chat templates use.
struct JinjaInterpreter {
  /// Names and what they stand for; the innermost last.
  private var frames: [JinjaFrame]
  private let budget: JinjaBudget

  /// - Parameters:
  ///   - globals: what the template can name.
  ///   - input: bytes of what it is given.
  init(globals: [(name: String, value: JinjaValue)], input: Int = 0) {
    let frame = JinjaFrame()
    for (name, value) in globals { frame.variables[name] = value }
    (frames, budget) = ([frame, JinjaFrame()], JinjaBudget(input: input))
  }

  private init(frames: [JinjaFrame], budget: JinjaBudget) { (self.frames, self.budget) = (frames, budget) }

  /// Renders statements, once. Throws `JinjaError`.
  mutating func render(_ statements: [JinjaStatement]) throws(JinjaError) -> String {
    // A macro holds the frames that it sees, and stands in one of them.
    defer { for frame in frames { frame.variables = [:] } }
    return try text(of: statements)
  }

  private mutating func text(of statements: [JinjaStatement]) throws(JinjaError) -> String {
    var output = ""
    _ = try run(statements, into: &output)
    return output
  }

  private enum Flow { case on, stop, next }

  private mutating func count(_ steps: Int = 1) throws(JinjaError) {
    try budget.take(steps: steps)
  }

  /// Takes a level; what took it gives it back.
  private mutating func descend() throws(JinjaError) {
    try count()
    guard budget.levels > 0 else {
      throw JinjaError("it is nested too deeply, or its macros call each other so")
    }
    budget.levels -= 1
  }

  private mutating func run(
    _ statements: [JinjaStatement], into output: inout String
  ) throws(JinjaError) -> Flow {
    try descend()
    defer { budget.levels += 1 }
    for statement in statements {
      try count()
      switch statement {
      case .text(let text): try write(text, into: &output)
      case .print(let expression, let line):
        try write(try located(line) { s throws(JinjaError) in try s.value(expression).text() }, into: &output)
      case .conditional(let branches, let otherwise):
        var body = otherwise
        for branch in branches where try value(branch.condition).isTrue {
          body = branch.body
          break
        }
        let flow = try run(body, into: &output)
        if flow != .on { return flow }
      case .loop(let loop): try run(loop, into: &output)
      case .set(let names, let attribute, let expression, let line):
        try set(names, attribute, to: try value(expression), line)
      case .setBlock(let name, let body):
        var text = ""
        let flow = try run(body, into: &text)
        frames[frames.count - 1].variables[name] = .string(text)
        if flow != .on { return flow }
      case .macro(let name, let parameters, let body):
        frames[frames.count - 1].variables[name] = macro(name, parameters, body)
      case .generation(let body):
        let flow = try run(body, into: &output)
        if flow != .on { return flow }
      case .stop: return .stop
      case .next: return .next
      }
    }
    return .on
  }

  private mutating func write(_ text: String, into output: inout String) throws(JinjaError) {
    try budget.take(bytes: text.utf8.count)
    output += text
  }

  private mutating func located<Value>(
    _ line: Int, _ body: (inout JinjaInterpreter) throws(JinjaError) -> Value
  ) throws(JinjaError) -> Value {
    do throws(JinjaError) {
      return try body(&self)
    } catch {
      var error = error
      if error.line == 0 { error.line = line }
      throw error
    }
  }

  private mutating func set(
    _ names: [String], _ attribute: String?, to value: JinjaValue, _ line: Int
  ) throws(JinjaError) {
    if let attribute {
      guard case .namespace(let space) = variable(names[0]) else {
        throw JinjaError("'\(names[0])' is no namespace, so it has no members to set", line: line)
      }
      // Else chains of them could grow at their ends, where nobody sees how long they are.
      try located(line) { s throws(JinjaError) in try s.check(value, hasNamespaces: false) }
      space.members[attribute] = value
    } else {
      try located(line) { s throws(JinjaError) in try s.check(value) }
      try bind(names, to: value, line)
    }
  }

  /// Refuses values within values within values …, which are freed and compared as deep as they are nested.
  private mutating func check(
    _ value: JinjaValue, levels: Int = 64, hasNamespaces: Bool = true
  ) throws(JinjaError) {
    let parts: [JinjaValue]
    switch value {
    case .list(let elements): parts = elements
    case .dictionary(let dictionary): parts = dictionary.items.map(\.value)
    case .namespace(let space):
      guard hasNamespaces else { throw JinjaError("a namespace cannot be in another") }
      parts = space.members.items.map(\.value)
    default: return
    }
    guard levels > 0 else { throw JinjaError("its values are nested too deeply") }
    try count(parts.count)
    for part in parts { try check(part, levels: levels - 1, hasNamespaces: hasNamespaces) }
  }

  private mutating func bind(_ names: [String], to value: JinjaValue, _ line: Int) throws(JinjaError) {
    guard names.count > 1 else {
      frames[frames.count - 1].variables[names[0]] = value
      return
    }
    guard let parts = try budget.elements(of: value), parts.count == names.count else {
      throw JinjaError("\(value.kind) cannot be shared out among \(names.count) names", line: line)
    }
    for (name, part) in zip(names, parts) { frames[frames.count - 1].variables[name] = part }
  }

  private mutating func run(_ loop: JinjaLoop, into output: inout String) throws(JinjaError) {
    let over = try value(loop.over)
    guard var elements = try budget.elements(of: over) else {
      throw JinjaError("\(over.kind) cannot be looped over", line: loop.line)
    }
    frames.append(JinjaFrame())
    defer { frames.removeLast() }
    if let condition = loop.condition {
      var kept: [JinjaValue] = []
      for element in elements {
        try count()
        try bind(loop.targets, to: element, loop.line)
        if try value(condition).isTrue { kept.append(element) }
      }
      elements = kept
    }
    for (index, element) in elements.enumerated() {
      // A frame each: what an iteration sets is gone in the next one. It is as much work as several steps.
      try count(10)
      frames[frames.count - 1] = JinjaFrame()
      try bind(loop.targets, to: element, loop.line)
      frames[frames.count - 1].variables["loop"] = .dictionary(Self.loop(index, elements))
      if try run(loop.body, into: &output) == .stop { break }
    }
    if elements.isEmpty { _ = try run(loop.otherwise, into: &output) }
  }

  private static func loop(_ index: Int, _ elements: [JinjaValue]) -> JinjaDictionary {
    var loop = JinjaDictionary()
    loop["index"] = .int(index + 1)
    loop["index0"] = .int(index)
    loop["revindex"] = .int(elements.count - index)
    loop["revindex0"] = .int(elements.count - index - 1)
    loop["first"] = .bool(index == 0)
    loop["last"] = .bool(index == elements.count - 1)
    loop["length"] = .int(elements.count)
    loop["previtem"] = index > 0 ? elements[index - 1] : .undefined
    loop["nextitem"] = index + 1 < elements.count ? elements[index + 1] : .undefined
    return loop
  }

  private mutating func macro(
    _ name: String, _ parameters: [(name: String, usual: JinjaExpression?)], _ body: [JinjaStatement]
  ) -> JinjaValue {
    // A macro sees the template's own names, not those of where it is called.
    let (outer, budget) = (Array(frames.prefix(2)), budget)
    return .function(
      JinjaFunction(name: name) { arguments, named throws(JinjaError) in
        let frame = JinjaFrame()
        var inner = JinjaInterpreter(frames: outer + [frame], budget: budget)
        try inner.descend()
        defer { budget.levels += 1 }
        for (index, parameter) in parameters.enumerated() {
          if index < arguments.count {
            frame.variables[parameter.name] = arguments[index]
          } else if let given = named[parameter.name] {
            frame.variables[parameter.name] = given
          } else {
            frame.variables[parameter.name] =
              try parameter.usual.map { usual throws(JinjaError) in try inner.value(usual) } ?? .undefined
          }
        }
        return .string(try inner.text(of: body))
      })
  }

  private func variable(_ name: String) -> JinjaValue {
    for frame in frames.reversed() { if let value = frame.variables[name] { return value } }
    return .undefined
  }

  // MARK: - Expressions

  /// The value of an expression. Throws `JinjaError`.
  mutating func value(_ expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    try descend()
    defer { budget.levels += 1 }
    // What needs room on the stack is in functions of its own, since this one stands there once a level.
    switch expression {
    case .literal(let value): return value
    case .name(let name, _): return variable(name)
    case .list(let elements): return try budget.made(.list(try values(elements)))
    case .dictionary: return try dictionary(expression)
    case .attribute, .item, .slice: return try part(expression)
    case .call: return try call(expression)
    case .filter, .test: return try filtered(expression)
    case .unary: return try unary(expression)
    case .binary: return try chain(expression)
    case .conditional: return try conditional(expression)
    }
  }

  private mutating func unary(_ expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    guard case .unary(let sign, let operand, let line) = expression else { return .undefined }
    let value = try self.value(operand)
    return try located(line) { _ throws(JinjaError) in try JinjaOperators.unary(sign, value) }
  }

  private mutating func conditional(_ expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    guard case .conditional(let condition, let then, let otherwise) = expression else { return .undefined }
    if try value(condition).isTrue { return try value(then) }
    guard let otherwise else { return .undefined }
    return try value(otherwise)
  }

  private mutating func dictionary(_ expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    guard case .dictionary(let members) = expression else { return .undefined }
    var dictionary = JinjaDictionary()
    for (key, member) in members { dictionary[try value(key).text()] = try value(member) }
    return try budget.made(.dictionary(dictionary))
  }

  private mutating func part(_ expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    switch expression {
    case .attribute(let object, let name, let line):
      let object = try value(object)
      return try located(line) { _ throws(JinjaError) in try JinjaMembers.member(name, of: object) }
    case .item(let object, let index, let line):
      let (object, index) = (try value(object), try value(index))
      return try located(line) { s throws(JinjaError) in try JinjaMembers.item(index, of: object, s.budget) }
    case .slice(let object, let from, let to, let step, let line):
      let object = try value(object)
      let bounds = try (integer(from, line), integer(to, line), integer(step, line))
      return try located(line) { s throws(JinjaError) in
        try JinjaMembers.slice(object, bounds.0, bounds.1, bounds.2 ?? 1, s.budget)
      }
    default: return .undefined
    }
  }

  private mutating func filtered(_ expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    switch expression {
    case .filter(let input, let name, let arguments, let line):
      let (input, (positional, named)) = (try value(input), try evaluated(arguments))
      return try located(line) { s throws(JinjaError) in
        try JinjaFilters.apply(name, to: input, positional, named, s.budget)
      }
    case .test(let input, let name, let arguments, let isNegated, let line):
      let (input, positional) = (try value(input), try evaluated(arguments).positional)
      let holds = try located(line) { s throws(JinjaError) in
        try JinjaTests.holds(name, input, positional, s.budget)
      }
      return .bool(holds != isNegated)
    default: return .undefined
    }
  }

  /// Operators from left to right, however many: a template may well add up a text from a hundred parts.
  private mutating func chain(_ expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    var (links, first) = ([(sign: String, right: JinjaExpression, line: Int)](), expression)
    while case .binary(let sign, let left, let right, let line) = first {
      links.append((sign, right, line))
      first = left
    }
    var left = try value(first)
    for link in links.reversed() {
      try count()
      if link.sign == "and", !left.isTrue { continue }
      if link.sign == "or", left.isTrue { continue }
      let right = try value(link.right)
      left = try located(link.line) { s throws(JinjaError) in
        try JinjaOperators.binary(link.sign, left, right, s.budget)
      }
    }
    return left
  }

  private mutating func values(_ expressions: [JinjaExpression]) throws(JinjaError) -> [JinjaValue] {
    var values: [JinjaValue] = []
    for expression in expressions { values.append(try value(expression)) }
    return values
  }

  private mutating func integer(_ expression: JinjaExpression?, _ line: Int) throws(JinjaError) -> Int? {
    guard let expression else { return nil }
    switch try value(expression) {
    case .none, .undefined: return nil
    case let value:
      guard let integer = value.integer else {
        throw JinjaError("\(value.kind) cannot bound a slice", line: line)
      }
      return integer
    }
  }

  private mutating func evaluated(
    _ arguments: JinjaArguments
  ) throws(JinjaError) -> (positional: [JinjaValue], named: JinjaDictionary) {
    var named = JinjaDictionary()
    for (name, expression) in arguments.named { named[name] = try value(expression) }
    return (try values(arguments.positional), named)
  }

  private mutating func call(_ expression: JinjaExpression) throws(JinjaError) -> JinjaValue {
    guard case .call(let function, let arguments, let line) = expression else { return .undefined }
    if case .attribute(let object, let name, _) = function {
      let object = try value(object)
      let (positional, named) = try evaluated(arguments)
      return try located(line) { s throws(JinjaError) in
        if case .function(let function)? = JinjaMembers.own(name, of: object) {
          return try s.budget.made(try function.body(positional, named))
        }
        return try JinjaMembers.call(name, of: object, positional, named, s.budget)
      }
    }
    guard case .function(let called) = try value(function) else {
      if case .name(let name, _) = function {
        throw JinjaError("ptune does not know the function '\(name)'", line: line)
      }
      throw JinjaError("this cannot be called", line: line)
    }
    let (positional, named) = try evaluated(arguments)
    return try located(line) { s throws(JinjaError) in try s.budget.made(try called.body(positional, named)) }
  }
}

/// The names of one scope.
final class JinjaFrame {
  var variables: [String: JinjaValue] = [:]
}
