import Foundation
import PTuneEngine
import PTuneFormats
import PTunePlugins

import Testing

@testable import PTuneText
@testable import PTuneTraining

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
    let plain = try ChatTemplates(folder: folder, tokenizer: try tokenizer()).template("plain")
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
      let chat = try tokenizer.pieces(chat: messages, template)
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
    let begin = encoded.tokens.prefix(Int(try #require(encoded.context)))
    let text = tokenizer.decode(begin, skippingSpecialTokens: false)
    #expect(text == "<|im_start|>user\na plot<|im_end|>\n<|im_start|>assistant\n")
    let failures = [
      #"[{"role": "user", "content": "a plot"}]"#: "the assistant says nothing, so there is nothing to learn",
      #"[{"content": "a plot"}]"#: "'messages' has no 'role' in turn 1",
      "[]": "'messages' has to be a JSON list of turns",
    ]
    for (json, reason) in failures {
      let failure = #expect(throws: TrainingError.self) { try example(json) }
      #expect(
        failure.map { "\($0)".contains(reason) && "\($0)".hasPrefix("a.jsonl:3") } == true,
        "\(failure as Any)")
    }
  }

  @Test("a template that ptune cannot use, or none, is an error that names the way out")
  func unusable() throws {
    func failure(_ source: String) -> String {
      do {
        let template = try ChatTemplate(source, place: "config.json", tokens: [:])
        return try template.text(of: [ChatMessage(role: "user", content: "Who?")], promptsAnswer: false)
      } catch {
        return "\(error)"
      }
    }
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
    // Neither depth nor loops nor macros that call themselves bring ptune down.
    #expect(
      failure("{{ " + String(repeating: "(", count: 5000) + " }}").hasSuffix(
        "line 1: it is nested too deeply"))
    #expect(
      failure(
        String(repeating: "{% for a in range(1000) %}", count: 4) + "x"
          + String(repeating: "{% endfor %}", count: 4)
      ).hasSuffix("it runs for too long"))
    #expect(failure("{% macro m() %}{{ m() ~ m() }}{% endmacro %}{{ m() }}").contains("too deeply"))
    let none = #expect(throws: ChatTemplateError.self) {
      try ChatTemplates(folder: "\(Workbench.fixtures)/tiny-gpt2", tokenizer: try tokenizer()).template(nil)
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
}
