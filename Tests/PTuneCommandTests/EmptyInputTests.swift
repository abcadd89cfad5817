import Foundation
import Testing

/// Texts, contexts and fields without a single token.
@Suite("Inputs without a token") struct EmptyInputTests {
  @Test("a question whose context has no token has no answer, and ends nothing")
  func contexts() throws {
    let desk = try Desk()
    func row(_ context: String) -> String {
      "{\"id\": \"a\", \"question\": \"who was good\", \"context\": \"\(context)\", \"answers\": {\"text\": [\"the film\"], \"answer_start\": [0]}}\n"
    }
    try desk.write("rows.jsonl", String(repeating: row("the film was good"), count: 8))
    try desk.write(
      "run.yaml",
      """
      base: {model: model}
      adapter: {plugin: p-tuning-v2, virtual_tokens: 2}
      tasks:
        - name: answers
          head: {plugin: extractive-qa}
          data: {train: rows.jsonl, label: answers}
      training: {epochs: 1, max_steps: 1, threads: 1}
      output: out
      """)
    let trained = try desk.ptune("train", "run.yaml", "--quiet", "--no-report")
    try #require(trained.status == 0, "\(trained.errors)")
    for context in ["", " ", "\\u200b", "\\u0000"] {
      try desk.write("empty.jsonl", "{\"question\": \"who was good\", \"context\": \"\(context)\"}\n")
      let outcome = try desk.ptune("predict", "--adapter", "out/adapter", "--input", "empty.jsonl")
      #expect(outcome.status == 0, "'\(context)': \(outcome.errors)")
      #expect(outcome.output.hasPrefix("{\"answer\": \"\""), "'\(context)': \(outcome.output)")
    }
  }
}
