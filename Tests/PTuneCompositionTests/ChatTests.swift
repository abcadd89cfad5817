import Foundation
import PTuneEngine
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneJinja
@testable import PTuneText

@Suite("Chat templates") struct ChatTests {
  private static let tokens = ["bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"]

  private func tokenizer() throws -> any Tokenizer {
    // It has every byte and the marks of ChatML.
    try TokenizerLoader.load("\(Workbench.fixtures)/tiny-chat")
  }

  private func cases() throws -> [JSONValue] {
    try #require(JSONValue.read("\(Workbench.fixtures)/chat.json").arrayValue)
  }

  private func messages(_ value: JSONValue?) throws -> [ChatMessage] {
    try ChatMessage.conversation(json: try #require(value).text(.line))
  }

  @Test("conversations become the text that transformers makes of them")
  func rendering() throws {
    for test in try cases() {
      let name = try #require(test["template"]?.stringValue)
      let template = try ChatTemplate(
        try #require(test["source"]?.stringValue), place: name, tokens: Self.tokens)
      let asks = try #require(test["add_generation_prompt"]?.boolValue as Bool?)
      let text = try template.text(of: messages(test["messages"]), promptsAnswer: asks)
      let expected = try #require(test["text"]?.stringValue)
      #expect(text.utf8.elementsEqual(expected.utf8), "\(name): \(text) instead of \(expected)")
    }
  }

  @Test("a turn without content is the conversation's fault where the template wants one")
  func noContent() throws {
    let messages = try ChatMessage.conversation(
      json: #"[{"role": "user", "content": "Who?"}, {"role": "assistant"}]"#)
    let template = try ChatTemplate(
      "{% for message in messages %}\n{{ message.role + ': ' + message.content }}{% endfor %}",
      place: "x.jinja",
      tokens: [:])
    let error = #expect(throws: ChatError.self) { try template.text(of: messages, promptsAnswer: false) }
    #expect(
      error?.description
        == "has no 'content' in turn 2, and the chat template of x.jinja, line 2, wants one: '+' between a string and "
        + "an undefined value")
  }

  @Test("a rendered template leaves nothing behind, whatever its macros see")
  func release() throws {
    weak var left: JinjaNamespace?
    do {
      let space = JinjaNamespace()
      space.members["greeting"] = .string("Hello")
      left = space
      let statements = try JinjaParser.statements(
        of: "{% macro hello(name) %}{{ space.greeting }}, {{ name }}{% endmacro %}"
          + "{% set space.kept = hello %}{{ space.kept('you') }}")
      var interpreter = JinjaInterpreter(globals: [("space", .namespace(space))])
      #expect(try interpreter.render(statements) == "Hello, you")
    }
    #expect(left == nil)
  }

  @Test("ptune's own formats write what templates of these names write")
  func formats() throws {
    let folder = "\(Workbench.fixtures)/tiny-gpt2"
    var seen: Set<String> = []
    for test in try cases() {
      let name = try #require(test["template"]?.stringValue)
      guard ChatTemplates.formats.contains(name) else { continue }
      seen.insert(name)
      let template = try ChatTemplate(
        try #require(ChatFormat.source(name)), place: name, tokens: Self.tokens)
      let asks = try #require(test["add_generation_prompt"]?.boolValue as Bool?)
      let text = try template.text(of: messages(test["messages"]), promptsAnswer: asks)
      #expect(text == test["text"]?.stringValue, "\(name)")
    }
    #expect(seen == Set(ChatTemplates.formats).subtracting(["plain"]))
    let plain = try ChatTemplates(folders: [folder], tokenizer: try tokenizer()).template("plain")
    #expect(
      try plain.text(of: [ChatMessage(role: "user", content: "Who?")], promptsAnswer: true)
        == "User: Who?\nAssistant:")
  }

  @Test("token ids are those of transformers, and its mask says what the assistant says")
  func ids() throws {
    let tokenizer = try tokenizer()
    var masks = 0
    for test in try cases() where test["template"]?.stringValue?.hasPrefix("chatml") == true {
      let template = try ChatTemplate(
        try #require(test["source"]?.stringValue), place: "test", tokens: Self.tokens)
      let messages = try messages(test["messages"])
      let asks = try #require(test["add_generation_prompt"]?.boolValue as Bool?)
      let ids = try #require(test["ids"]?.arrayValue).compactMap { $0.intValue.map { Int32($0) } }
      #expect(tokenizer.pieces(try template.text(of: messages, promptsAnswer: asks)).map(\.id) == ids)
      guard let mask = test["mask"]?.arrayValue else { continue }
      masks += 1
      let texts = try tokenizer.pieces(chat: messages, template)
      #expect(texts.count == 1)
      let chat = try #require(texts.first)
      #expect(chat.pieces.map(\.id) == ids)
      #expect(chat.isAnswer == mask.map { $0.intValue == 1 })
    }
    #expect(masks == 3)
  }

  @Test("of a conversation the assistant's turns are targets, with what ends each")
  func targets() throws {
    let composition = try Workbench.compose(
      checkpoint: "tiny-gpt2",
      adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
      head: ComponentChoice(plugin: "causal-lm"))
    // The model's own tokenizer lacks the characters of ChatML's marks.
    let tokenizer = try tokenizer()
    var data = composition.tasks[0].data
    data.chatTemplate = Located("chatml", .flag("test"))
    let source = RowSource(
      data: data, tokenizer: tokenizer, chat: composition.chat, reading: .continuedText)
    func example(_ json: String) throws -> EncodedExample {
      let row = Row(line: 3, columns: try Columns(path: "a.jsonl", names: ["messages"]), values: [json])
      return try composition.encode(source.tokenize(row, labelled: true), task: 0, path: "a.jsonl")
    }
    let turns = #"{"role": "user", "content": "a plot"}, {"role": "assistant", "content": "good"}"#
    let encoded = try example("[\(turns), \(turns)]")
    let said = encoded.integers.filter { $0 >= 0 }
    #expect(tokenizer.decode(said, skippingSpecialTokens: false) == "good<|im_end|>good<|im_end|>")
    let begin = encoded.tokens.prefix(Int(try #require(encoded.contexts.first)))
    let text = tokenizer.decode(begin, skippingSpecialTokens: false)
    #expect(text == "<|im_start|>user\na plot<|im_end|>\n<|im_start|>assistant\n")
    let failures = [
      #"[{"role": "user", "content": "a plot"}]"#: "the assistant says nothing, so there is nothing to learn",
      #"[{"content": "a plot"}]"#: "'messages' has no 'role' in turn 1",
      "[]": "'messages' has to be a JSON list of turns",
    ]
    for (json, reason) in failures {
      let failure = #expect(throws: DataError.self) { try example(json) }
      #expect(
        failure.map { "\($0)".contains(reason) && "\($0)".hasPrefix("a.jsonl:3") } == true,
        "\(failure as Any)")
    }
  }

  @Test("neither depth nor macros that call themselves exhaust the stack, also where it is small")
  func depth() throws {
    func times(_ count: Int, _ text: String) -> String { String(repeating: text, count: count) }
    let large = 2000
    func nested(_ begin: String, _ middle: String, _ end: String) -> String {
      "{{ \(times(large, begin))\(middle)\(times(large, end)) }}"
    }
    let deep = [
      nested("(", "1", ")"), nested("[", "", "]"), nested("(1, ", "1", ")"), nested("{1: ", "1", "}"),
      nested("not ", "1", ""), nested("-", "1", ""), nested("a[", "1", "]"), nested("a(", "1", ")"),
      nested("a|trim(", "1", ")"), nested("1 if 1 else ", "1", ""), nested("1 is in ", "1", ""),
      nested("1 is in (", "1", ")"), nested("1 + (", "1", ")"),
      nested("1 or 1 and 1 == 1 + 1 ~ 1 * (", "1", ")"),
      times(large, "{% if 1 %}"), times(large, "{% for a in [1] %}"), times(large, "{% generation %}"),
      times(large, "{% if 1 %}{% for a in [[[1]]] %}{% set b %}{% macro m() %}"),
      "{{ \(times(large, "1 + "))1 }}", "{{ a\(times(large, ".a")) }}", "{{ a\(times(large, "|trim")) }}",
      "{{ a\(times(large, "()")) }}", "{{ 1\(times(large, " and 1")) }}", "{{ 1\(times(large, " == 1")) }}",
      "{% set a = [] %}" + times(large, "{% set a = [a] %}"),
      "{% set n = namespace(a=[]) %}{% for i in range(5000) %}{% set n.a = {'a': n.a} %}{% endfor %}",
      "{% macro m() %}{{ m() ~ m() }}{% endmacro %}{{ m() }}",
      "{% macro m() %}{% for x in m() %}{% endfor %}{% endmacro %}{{ m() }}",
      "{% macro m() %}{% for x in [1] if m() %}{% endfor %}{% endmacro %}{{ m() }}",
      "{% macro m() %}{% for x in [1] %}{% for x in [1] %}{{ m() }}{% endfor %}{% endfor %}{% endmacro %}{{ m() }}",
      "{% macro m(a=m()) %}{% endmacro %}{{ m() }}", "{% macro m() %}{{ 'a'[m():] }}{% endmacro %}{{ m() }}",
      "{% macro m() %}{{ m()|trim|replace(m(), m()) }}{% endmacro %}{{ m() }}",
      "{% macro m() %}{{ 'a'.replace(m(), m()) }}{% endmacro %}{{ m() }}",
      "{% macro m(a) %}{{ [m(a=[1, {'b': -(1 + m(a))}])] }}{% endmacro %}{{ m(1) }}",
      "{% macro m(a) %}{% for x in [1] %}{% if 1 %}{% set t %}{{ (1 if m(1)|trim is in m(2) else 3) }}"
        + "{% endset %}{% endif %}{% endfor %}{% endmacro %}{{ m(1) }}",
    ]
    // Deep, but not too deep: these are read and rendered.
    let shallow = [
      "{{ \(times(35, "("))1\(times(35, ")")) }}", "{{ 0\(times(490, " + 1")) }}",
      "{{ \(times(35, "not "))1 }}",
      times(35, "{% if 1 %}") + times(35, "{% endif %}"),
      "{{ 'a'\(times(60, "|trim")) }}", "{{ \(times(35, "["))1\(times(35, "]"))|length }}",
      "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(10) }}",
    ]
    let done = DispatchSemaphore(value: 0)
    nonisolated(unsafe) var (reasons, texts) = ([String](), [String]())
    let thread = Thread {
      reasons = deep.map { self.failure($0) }
      texts = shallow.map { self.failure($0) }
      done.signal()
    }
    // Darwin gives threads 512 KiB; some of it is room for those who call.
    thread.stackSize = 448 << 10
    thread.start()
    done.wait()
    for (source, reason) in zip(deep, reasons) {
      #expect(
        reason.contains("too deeply") || reason.contains("too long an expression"),
        "\(source.prefix(60)): \(reason)")
    }
    for (source, text) in zip(shallow, texts) {
      #expect(!text.contains("the chat template of"), "\(source.prefix(60)): \(text)")
    }
  }

  private func failure(_ source: String) -> String {
    do {
      let template = try ChatTemplate(source, place: "config.json", tokens: [:])
      return try template.text(of: [ChatMessage(role: "user", content: "Who?")], promptsAnswer: false)
    } catch {
      return "\(error)"
    }
  }

  @Test("a template that ptune cannot use, or none, is an error that names the way out")
  func unusable() throws {
    #expect(
      failure("a\n{% include 'b' %}")
        == "the chat template of config.json, line 2: ptune does not know the statement 'include'")
    #expect(
      failure("{{ messages | shuffle }}")
        == "the chat template of config.json, line 1: ptune does not know the filter 'shuffle'")
    #expect(failure("\n{{ now() }}").hasSuffix("line 2: ptune does not know the function 'now'"))
    #expect(failure("{% if a %}").hasSuffix("line 1: 'endif' is missing"))
    #expect(failure("{{ a.b.c }}").hasSuffix("line 1: 'b' is asked of an undefined value"))
    #expect(failure("{{ raise_exception('no') }}") == "is refused by the chat template: no")
    #expect(failure("{{ 1 + 'a' }}").hasSuffix("'+' between an integer and a string"))
    // Loops do not bring ptune down.
    #expect(
      failure(
        String(repeating: "{% for a in range(1000) %}", count: 4) + "x"
          + String(repeating: "{% endfor %}", count: 4)
      ).hasSuffix("it runs for too long"))
    let none = #expect(throws: ChatTemplateError.self) {
      try ChatTemplates(folders: ["\(Workbench.fixtures)/tiny-gpt2"], tokenizer: try tokenizer()).template(
        nil)
    }
    #expect(none?.description.hasSuffix("tiny-gpt2: there is none") == true)
    #expect(none?.help?.contains("chat_template: chatml") == true)
  }

  @Test("an answer ends with the token that the template puts behind answers")
  func end() throws {
    let gguf = try TokenizerLoader.load("\(Workbench.fixtures)/tiny-llama")
    let template = try ChatTemplate(
      "{% for m in messages %}{{ m.role }}: {{ m.content }}{{ eos_token }}{% endfor %}", place: "test",
      tokens: ["eos_token": gguf.specialTokens.end.flatMap { gguf.token($0) } ?? ""])
    #expect(gguf.answerEnd(template) == gguf.specialTokens.end)
  }

  // MARK: - Turns as they stood

  /// Writes earlier answers without thoughts and the last one with them, an empty block where a row has none.
  private static let thinking = """
    {%- for m in messages -%}
    {%- if m.role == 'assistant' -%}
    <A>{%- if loop.last -%}{{ '<think>' + (m.reasoning_content or '') + '</think>\\n\\n' }}{%- endif -%}{{ m.content + '<end>\\n' }}
    {%- else -%}<U>{{ m.content }}{%- endif -%}
    {%- endfor -%}
    {%- if add_generation_prompt -%}<A>{%- endif -%}
    """

  private func answers(_ source: String, _ json: String) throws -> [(text: String, learnt: [String])] {
    let template = try ChatTemplate(source, place: "test", tokens: Self.tokens)
    return try template.answers(in: ChatMessage.conversation(json: json)).map { answered in
      (
        answered.text,
        answered.answers.map { String(decoding: Array(answered.text.utf8)[$0], as: UTF8.self) }
      )
    }
  }

  private static let two = """
    [{"role": "user", "content": "a"}, {"role": "assistant", "content": "x"},
     {"role": "user", "content": "b"}, {"role": "assistant", "content": "y"}]
    """

  @Test("each answer is learnt in the conversation as it stood then, where a template rewrites earlier ones")
  func rewritten() throws {
    let texts = try answers(Self.thinking, Self.two)
    #expect(
      texts.map(\.text) == [
        "<U>a<A><think></think>\n\nx<end>\n", "<U>a<A>x<end>\n<U>b<A><think></think>\n\ny<end>\n",
      ])
    // The block is the template's own, so it is read, not learnt.
    #expect(texts.map(\.learnt) == [["x<end>"], ["y<end>"]])
  }

  @Test("thoughts that a row has are learnt with its answer")
  func thoughts() throws {
    let own = """
      [{"role": "user", "content": "a"}, {"role": "assistant", "content": "x", "reasoning_content": "hm"}]
      """
    #expect(try answers(Self.thinking, own).map(\.learnt) == [["<think>hm</think>\n\nx<end>"]])
    let within =
      #"[{"role": "user", "content": "a"}, {"role": "assistant", "content": "<think>hm</think>x"}]"#
    let plain =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
      + "{% if add_generation_prompt %}<assistant>{% endif %}"
    #expect(try answers(plain, within).map(\.learnt) == [["<think>hm</think>x<end>"]])
  }

  @Test("a header is not learnt, though the template asks for an answer otherwise than it writes one")
  func header() throws {
    let other =
      "{% for m in messages %}<{{ m.role }}>: {{ m.content }}<end>{% endfor %}"
      + "{% if add_generation_prompt %}<assistant>, briefly:{% endif %}"
    let texts = try answers(other, Self.two)
    #expect(texts.map(\.learnt) == [["x<end>", "y<end>"]])
    let never = "{% for m in messages %}<{{ m.role }}>{{ m.content }}<end>{% endfor %}"
    #expect(try answers(never, Self.two).map(\.learnt) == [["x<end>", "y<end>"]])
  }

  @Test("a turn that the template does not write is refused with its number")
  func unwritten() throws {
    let deaf = "{% for m in messages %}{% if m.role != 'assistant' %}{{ m.content }}{% endif %}{% endfor %}"
    let error = #expect(throws: ChatError.self) { try answers(deaf, Self.two) }
    #expect(
      error?.description == "has an answer in turn 2 that the chat template of test does not write")
  }

  @Test("a model that has learnt from conversations goes on behind what stood in front of its answers")
  func prompt() throws {
    let user = [ChatMessage(role: "user", content: "a")]
    let thinking = try ChatTemplate(Self.thinking, place: "test", tokens: [:])
    #expect(try thinking.text(of: user, promptsAnswer: true) == "<U>a<A>")
    #expect(try thinking.promptAsLearnt(user) == "<U>a<A><think></think>\n\n")
    let plain = try ChatTemplate(
      "{% for m in messages %}<{{ m.role }}> {{ m.content }}{% endfor %}", place: "test", tokens: [:])
    #expect(try plain.promptAsLearnt(user) == "<user> a<assistant> ")
  }

  @Test(
    "a conversation that a template rewrites is one row of several sequences, and each counts its own targets"
  )
  func sequences() throws {
    let composition = try Workbench.compose(
      checkpoint: "tiny-gpt2",
      adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
      head: ComponentChoice(plugin: "causal-lm"))
    // In letters of the model's vocabulary: earlier answers are written as "o".
    let tiny = try TinyRun(rows: 2)
    let path = try tiny.write(
      "short.jinja",
      "{% for m in messages %}{{ 'o' if m.role == 'assistant' and not loop.last else m.content }} {% endfor %}"
    )
    var data = composition.tasks[0].data
    data.chatTemplate = Located(path, .flag("test"))
    let source = RowSource(
      data: data, tokenizer: composition.tokenizer, chat: composition.chat, reading: .continuedText)
    let row = Row(line: 3, columns: try Columns(path: "a.jsonl", names: ["messages"]), values: [Self.two])
    let example = try composition.encode(source.tokenize(row, labelled: true), task: 0, path: "a.jsonl")
    let ids = { (text: String) in composition.tokenizer.pieces(text).map(\.id) }
    let (first, second) = (ids("a x "), ids("a o b y "))
    #expect(example.tokens == first + second)
    #expect(example.offsets == [0, Int32(first.count), Int32(first.count + second.count)])
    let decoded = example.integers.map { $0 < 0 ? "." : composition.tokenizer.decode([$0]) }
    #expect(decoded.filter { $0 != "." } == ["x", " y"])
    #expect(example.contexts.count == 2)
  }
}
