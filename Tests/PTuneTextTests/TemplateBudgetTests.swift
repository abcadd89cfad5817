import Testing

@testable import PTuneText

/// A chat template comes with a model: it may be any program.
@Suite("Hostile chat templates") struct TemplateBudgetTests {
  private func render(_ source: String) throws -> String {
    try ChatTemplate(source, place: "t", tokens: [:]).text(
      of: [ChatMessage(role: "user", content: "hello")], promptsAnswer: false)
  }

  @Test(
    "values that grow, and work on them, come to an end",
    arguments: [
      "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
      "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
      "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
      "{% set x = 'a' * 10000 * 10000 * 10000 %}", "{% set x = 'a' * 9223372036854775807 %}",
      "{% set x = ('a' * 1000000)|replace('a', 'b' * 1000000) %}",
      "{% set x = ('a' * 1000000).replace('a', 'b' * 1000000) %}",
      "{% set x = range(100000)|join('a' * 1000000) %}",
      "{% set x = range(100000)|unique|list %}",
      "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if x[999999] == 'b' %}{% endif %}{% endfor %}",
      "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if x[0:2] == 'b' %}{% endif %}{% endfor %}",
      "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if x|upper == 'b' %}{% endif %}{% endfor %}",
      "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if 'b' in x %}{% endif %}{% endfor %}",
      "{% set x = 'a' * 1000000 %}{% for i in range(100000) %}{% if x|trim == 'b' %}{% endif %}{% endfor %}",
      "{% set x = [1]|tojson(indent=9223372036854775807) %}",
      "{% set x = [[[1]]]|tojson(indent=100000000) %}",
      "{% set x = ('a\n' * 1000000)|indent(1000) %}",
      "{% set x = ('a' * 9000000).split('a') %}{% set y = ('a' * 9000000).split('a') %}",
      "{% set ns = namespace(x=[1]) %}{% for i in range(50) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x }}",
      "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = ns.x + [('a' * 10000) ~ i] %}{% endfor %}",
      "{% set x = range(100000) %}{% for i in x %}{% set y = x|reverse|list %}{% endfor %}",
      "{% set x = range(100000) %}{% for i in x %}{% if 'a' in x %}{% endif %}{% endfor %}",
    ])
  func bounded(source: String) throws {
    let error = #expect(throws: ChatTemplateError.self) { try render(source) }
    #expect(
      [
        "it makes too large values, or too many", "it runs for too long",
        "it works on a text that is too long",
        "'tojson' indents by", "its values are nested too deeply",
      ]
      .contains { error?.description.contains($0) == true }, "\(String(describing: error))")
  }

  @Test("a text is looked for in time that grows with its length, wherever it almost stands")
  func searching() throws {
    #expect(try render("{{ ('a' * 2000000 ~ 'b').find('a' * 1000000 ~ 'b') }}") == "1000000")
    #expect(
      try render("{{ 'aaaa'.split('aa')|length }} {{ 'abcabd'.find('abd') }} {{ 'ab' in 'aab' }}")
        == "3 3 True")
    #expect(
      try render("{{ 'a-b-c'.split('-', 1)|join('+') }} {{ 'aXbXc'|replace('X', '..') }}") == "a+b-c a..b..c")
  }

  @Test("a long conversation is no attack")
  func longConversations() throws {
    let turns = (0..<1000).map {
      ChatMessage(role: $0 % 2 == 0 ? "user" : "assistant", content: String(repeating: "word ", count: 200))
    }
    let source =
      "{% for m in messages %}{% if m['role'] == 'user' %}<u>{{ m['content']|trim }}{% else %}<a>{{ m.content.split('</t>')[-1].lstrip('\\n') }}{% endif %}{% if loop.index0 > messages|length - 2 %}!{% endif %}{% endfor %}"
    let text = try ChatTemplate(source, place: "t", tokens: [:]).text(of: turns, promptsAnswer: false)
    #expect(text.utf8.count > 990_000)
  }
}
