import PTuneFormats

/// A Jinja template with the settings and the functions that transformers' `apply_chat_template` gives it.
package struct JinjaTemplate: Sendable {
  // @unchecked within: statements are values that nobody changes.
  private let statements: Statements

  private struct Statements: @unchecked Sendable {
    let all: [JinjaStatement]
  }

  /// Reads a template. Throws `JinjaError` with the line.
  package init(_ source: String) throws(JinjaError) {
    statements = Statements(all: try JinjaParser.statements(of: source))
  }

  /// The text that the template makes of its variables.
  ///
  /// - Throws: `JinjaError` for what ptune does not know, or where the template itself refuses.
  package func render(_ variables: [(name: String, value: JSONValue)]) throws(JinjaError) -> String {
    let globals = variables.map { ($0.name, JinjaValue($0.value)) }
    let input = variables.reduce(0) { $0 + $1.value.byteEstimate }
    var interpreter = JinjaInterpreter(
      globals: globals + JinjaFunction.all.map { ($0.name, .function($0)) }, input: input)
    return try interpreter.render(statements.all)
  }
}

extension JSONValue {
  /// About the bytes of the document.
  fileprivate var byteEstimate: Int {
    switch self {
    case .string(let text): text.utf8.count + 2
    case .array(let elements): elements.reduce(2) { $0 + $1.byteEstimate + 1 }
    case .object(let members):
      zip(members.keys, members.values).reduce(2) { $0 + $1.0.utf8.count + $1.1.byteEstimate + 4 }
    default: 4
    }
  }
}
