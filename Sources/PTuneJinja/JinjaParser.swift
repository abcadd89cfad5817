/// Reads the statements of a template.
struct JinjaParser {
  var tokens: [JinjaLexer.Place]
  var position = 0
  /// How deep statements or expressions stand in others, so that no template exhausts the stack.
  var depth = 0
  static let deepest = 40
  /// How many operators, members and filters stand in this tag: as many levels can its expression have, and what frees
  /// it goes as deep as that.
  private var links = 0
  private static let mostLinks = 500

  private init(tokens: [JinjaLexer.Place]) { self.tokens = tokens }

  /// Reads a template. Throws `JinjaError` with the line.
  static func statements(of template: String) throws(JinjaError) -> [JinjaStatement] {
    var parser = JinjaParser(tokens: try JinjaLexer.tokens(of: template))
    let (statements, end) = try parser.block(until: [])
    if let end { throw JinjaError("'\(end)' has no beginning", line: parser.line) }
    return statements
  }

  var token: JinjaLexer.Token? { position < tokens.count ? tokens[position].token : nil }
  var line: Int { tokens.isEmpty ? 1 : tokens[Swift.min(position, tokens.count - 1)].line }

  /// Takes a level; what took it gives it back.
  mutating func descend() throws(JinjaError) {
    guard depth < Self.deepest else { throw JinjaError("it is nested too deeply", line: line) }
    depth += 1
  }

  mutating func link() throws(JinjaError) {
    links += 1
    guard links <= Self.mostLinks else { throw JinjaError("it is too long an expression", line: line) }
  }

  mutating func skip(_ wanted: JinjaLexer.Token) -> Bool {
    guard token == wanted else { return false }
    position += 1
    return true
  }

  mutating func expect(_ wanted: JinjaLexer.Token, _ what: String) throws(JinjaError) {
    guard skip(wanted) else { throw JinjaError("expected \(what)", line: line) }
  }

  mutating func symbol(_ text: String) -> Bool { skip(.symbol(text)) }
  mutating func word(_ text: String) -> Bool { skip(.name(text)) }

  mutating func name(_ what: String) throws(JinjaError) -> String {
    guard case .name(let name)? = token else { throw JinjaError("expected \(what)", line: line) }
    position += 1
    return name
  }

  /// Statements up to a tag with one of these words, which is given too; the tag's word is read, not its end.
  private mutating func block(
    until ends: [String]
  ) throws(JinjaError) -> (statements: [JinjaStatement], end: String?) {
    var statements: [JinjaStatement] = []
    while let token {
      let line = line
      position += 1
      links = 0
      switch token {
      case .text(let text): statements.append(.text(text))
      case .printBegin:
        statements.append(.print(try expression(), line: line))
        try expect(.printEnd, "'}}'")
      case .blockBegin:
        let word = try name("the word of a statement")
        if ends.contains(word) { return (statements, word) }
        if word.hasPrefix("end") || word == "else" || word == "elif" {
          throw JinjaError("'\(word)' is not expected here", line: line)
        }
        try descend()
        statements.append(try statement(word, line))
        depth -= 1
      default: throw JinjaError("a tag is not whole", line: line)
      }
    }
    guard ends.isEmpty else { throw JinjaError("'\(ends[ends.count - 1])' is missing", line: line) }
    return (statements, nil)
  }

  private mutating func endTag() throws(JinjaError) { try expect(.blockEnd, "'%}'") }

  private mutating func body(until end: String) throws(JinjaError) -> [JinjaStatement] {
    try endTag()
    let body = try block(until: [end]).statements
    try endTag()
    return body
  }

  private mutating func statement(_ word: String, _ line: Int) throws(JinjaError) -> JinjaStatement {
    switch word {
    case "if": return try conditional()
    case "for": return try loop(line)
    case "set": return try set(line)
    case "macro": return try macro()
    case "generation": return .generation(try body(until: "endgeneration"))
    case "break":
      try endTag()
      return .stop
    case "continue":
      try endTag()
      return .next
    default:
      throw JinjaError("ptune does not know the statement '\(word)'", line: line)
    }
  }

  private mutating func conditional() throws(JinjaError) -> JinjaStatement {
    var branches: [(condition: JinjaExpression, body: [JinjaStatement])] = []
    while true {
      let condition = try expression()
      try endTag()
      let (body, end) = try block(until: ["elif", "else", "endif"])
      branches.append((condition, body))
      if end == "elif" { continue }
      let otherwise = end == "else" ? try self.body(until: "endif") : []
      if end == "endif" { try endTag() }
      return .conditional(branches, otherwise: otherwise)
    }
  }

  private mutating func loop(_ line: Int) throws(JinjaError) -> JinjaStatement {
    var targets = [try name("the name of a loop's variable")]
    while symbol(",") { targets.append(try name("the name of a loop's variable")) }
    guard word("in") else { throw JinjaError("expected 'in'", line: line) }
    let over = try expression(allowsConditional: false)
    let condition = word("if") ? try expression() : nil
    if word("recursive") { throw JinjaError("ptune does not know recursive loops", line: line) }
    try endTag()
    let (body, end) = try block(until: ["else", "endfor"])
    let otherwise = end == "else" ? try self.body(until: "endfor") : []
    if end == "endfor" { try endTag() }
    return .loop(
      JinjaLoop(
        targets: targets, over: over, condition: condition, body: body, otherwise: otherwise, line: line))
  }

  private mutating func set(_ line: Int) throws(JinjaError) -> JinjaStatement {
    var names = [try name("a variable's name")]
    let attribute = symbol(".") ? try name("a member's name") : nil
    while attribute == nil, symbol(",") { names.append(try name("a variable's name")) }
    guard symbol("=") else {
      guard names.count == 1, attribute == nil, token == .blockEnd else {
        throw JinjaError("expected '='", line: line)
      }
      return .setBlock(names[0], try body(until: "endset"))
    }
    let value = try tuple()
    try endTag()
    return .set(names, attribute: attribute, value, line: line)
  }

  private mutating func macro() throws(JinjaError) -> JinjaStatement {
    let name = try name("the macro's name")
    try expect(.symbol("("), "'('")
    var parameters: [(name: String, usual: JinjaExpression?)] = []
    while !symbol(")") {
      let parameter = try self.name("a parameter's name")
      parameters.append((parameter, symbol("=") ? try expression() : nil))
      if !symbol(","), token != .symbol(")") { throw JinjaError("expected ',' or ')'", line: line) }
    }
    return .macro(name, parameters: parameters, body: try body(until: "endmacro"))
  }
}
