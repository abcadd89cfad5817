/// An expression of a template.
indirect enum JinjaExpression {
  case literal(JinjaValue)
  case name(String, line: Int)
  case list([JinjaExpression])
  case dictionary([(JinjaExpression, JinjaExpression)])
  case attribute(JinjaExpression, String, line: Int)
  case item(JinjaExpression, JinjaExpression, line: Int)
  case slice(JinjaExpression, from: JinjaExpression?, to: JinjaExpression?, step: JinjaExpression?, line: Int)
  case call(JinjaExpression, JinjaArguments, line: Int)
  case filter(JinjaExpression, String, JinjaArguments, line: Int)
  case test(JinjaExpression, String, JinjaArguments, isNegated: Bool, line: Int)
  case unary(String, JinjaExpression, line: Int)
  case binary(String, JinjaExpression, JinjaExpression, line: Int)
  case conditional(JinjaExpression, then: JinjaExpression, otherwise: JinjaExpression?)
}

/// What stands between the parentheses of a call.
struct JinjaArguments {
  var positional: [JinjaExpression] = []
  var named: [(name: String, value: JinjaExpression)] = []
}

/// A statement of a template, or the text between.
indirect enum JinjaStatement {
  case text(String)
  case print(JinjaExpression, line: Int)
  case conditional([(condition: JinjaExpression, body: [JinjaStatement])], otherwise: [JinjaStatement])
  case loop(JinjaLoop)
  case set([String], attribute: String?, JinjaExpression, line: Int)
  case setBlock(String, [JinjaStatement])
  case macro(String, parameters: [(name: String, usual: JinjaExpression?)], body: [JinjaStatement])
  /// `{% generation %}`: marks what the model says; its content is rendered.
  case generation([JinjaStatement])
  case stop
  case next
}

/// `{% for … in … if … %}`.
struct JinjaLoop {
  let targets: [String]
  let over: JinjaExpression
  let condition: JinjaExpression?
  let body: [JinjaStatement]
  let otherwise: [JinjaStatement]
  let line: Int
}
