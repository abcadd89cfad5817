import Foundation
import Testing

@testable import PTuneCommand

/// Names, labels and messages from outside hold what commands a terminal: none of it gets through.
@Suite("Text from outside is shown, not obeyed") struct ForeignTextTests {
  static let attack = "\u{1B}]0;mine\u{7}\u{1B}[2J\u{9B}31m\u{202E}\rerror: fake\nerror: fake"

  /// Fails if what was printed would command a terminal, or holds a line that ptune did not write.
  private func expectHarmless(_ printed: String, _ comment: Comment? = nil) {
    let hidden = printed.unicodeScalars.filter {
      ($0.value < 0x20 && $0 != "\n" && $0 != "\t") || (0x7F..<0xA0).contains($0.value) || $0.value == 0x202E
    }
    #expect(hidden.isEmpty, comment)
    #expect(!printed.split(separator: "\n").contains { $0.hasPrefix("error: fake") }, comment)
  }

  @Test(
    "a file's name in an error",
    arguments: [["inspect"], ["report"], ["train"], ["predict", "--text", "a", "--adapter"]])
  func names(command: [String]) throws {
    let outcome = try Desk().ptune(command + [Self.attack])
    #expect(outcome.status == 1)
    expectHarmless(outcome.errors)
    #expect(outcome.errors.contains("\\u{1B}]0;mine\\u{07}"))
  }

  @Test("labels in what a training prints, in a table of scores, and in JSON")
  func labels() throws {
    let desk = try Desk()
    let label = "\u{1B}[2J\u{9B}31m\u{7F}\u{202E}bad"
    for file in ["train.tsv", "dev.tsv", "test.tsv"] {
      try desk.write(file, try desk.text(file).replacingOccurrences(of: "negative", with: label))
    }
    let trained = try desk.ptune("train", "run.yaml", "--max-steps", "2", "--no-report")
    try #require(trained.status == 0, "\(trained.errors)")
    for arguments in [
      ["eval", "--adapter", "out/adapter", "--data", "dev.tsv"], ["inspect", "out/adapter"],
      ["predict", "--adapter", "out/adapter", "--text", "bad", "--scores"],
      ["eval", "--adapter", "out/adapter", "--data", "dev.tsv", "--json"],
    ] {
      let outcome = try desk.ptune(arguments)
      #expect(outcome.status == 0)
      expectHarmless(outcome.output, "\(arguments)")
      expectHarmless(outcome.errors, "\(arguments)")
    }
    let line = try desk.ptune("predict", "--adapter", "out/adapter", "--text", "bad").document()
    #expect(line["probabilities"]?.objectValue?.keys.contains(label) == true)
    let unknown = try desk.write("other.tsv", "sentence\tlabel\ngood\t\(label)x\n")
    let refused = try desk.ptune("eval", "--adapter", "out/adapter", "--data", unknown)
    #expect(refused.status == 1)
    expectHarmless(refused.errors)
  }

  @Test("what a chat template complains of")
  func templates() throws {
    let desk = try Desk()
    try desk.write(
      "template.jinja", "{{ raise_exception('\u{1B}[2J\u{9B}31m\\nerror: fake') }}")
    let outcome = try desk.ptune(
      "generate", "--model", Desk.fixtures + "/tiny-llama3", "--chat", "--chat-template", "template.jinja",
      "--prompt", "a")
    #expect(outcome.status == 1)
    expectHarmless(outcome.errors)
    #expect(outcome.errors.contains("\\u{1B}[2J"))
  }

  @Test("an error is bounded, however long the name that it quotes")
  func long() throws {
    let outcome = try Desk().ptune(
      "tokenize", "--model", String(repeating: "x", count: 100_000), "--text", "a")
    #expect(outcome.status == 1)
    #expect(outcome.errors.utf8.count < 20_000)
  }

  @Test("generated text on a terminal; a pipe gets it as it is")
  func generation() throws {
    let desk = try Desk()
    try desk.copyModel("tiny-gpt2", as: "talker")
    var tokenizer = try #require(
      JSONSerialization.jsonObject(with: Data(try desk.bytes("talker/tokenizer.json"))) as? [String: Any])
    tokenizer["decoder"] = [
      "type": "Sequence",
      "decoders": [
        ["type": "Replace", "pattern": ["String": "Ġ"], "content": "\u{1B}[2J\u{9B}x"], ["type": "Fuse"],
      ],
    ]
    try desk.write(
      "talker/tokenizer.json", bytes: Array(try JSONSerialization.data(withJSONObject: tokenizer)))
    let arguments = ["generate", "--model", "talker", "--prompt", "the film was", "--max-new-tokens", "4"]
    let piped = try desk.ptune(arguments)
    #expect(piped.status == 0, "\(piped.errors)")
    #expect(piped.output.contains("\u{1B}[2J"))
    let shown = try TerminalTests().onTerminal(desk, columns: 80, arguments)
    expectHarmless(shown.replacingOccurrences(of: "\r\n", with: "\n"))
    #expect(shown.contains("\\u{1B}[2J"))
  }
}
