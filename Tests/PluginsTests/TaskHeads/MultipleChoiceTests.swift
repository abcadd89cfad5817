import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile

@Suite("Multiple choice") struct MultipleChoiceTests {
  private func compose() throws -> Composition {
    try Workbench.compose(
      checkpoint: "tiny-bert",
      adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
      head: ComponentChoice(plugin: "multiple-choice"))
  }

  private func encode(_ fields: [String: String], _ composition: Composition) throws -> EncodedExample {
    try composition.encode(
      TokenizedRow(line: 3, fields: fields, content: .fields), task: 0, path: "rows.jsonl")
  }

  @Test("each choice is a sequence with the question")
  func sequences() throws {
    let composition = try compose()
    func ids(_ pairs: [(String, String)]) throws -> [Int32] {
      try pairs.flatMap { try composition.tokenizer.encode($0.0, pair: $0.1).ids }
    }
    let list = try encode(
      ["question": "who", "choices": #"["he", "she is", "they"]"#, "label": "1"], composition)
    #expect(list.tokens == (try ids([("who", "he"), ("who", "she is"), ("who", "they")])))
    #expect(list.offsets == [0, 5, 11, 16])
    #expect(list.integers == [1])
    // As SWAG has it, and with fewer choices.
    let columns = try encode(
      ["text": "it was", "start": "he", "choice0": "is", "choice1": "was not", "label": "was not"],
      composition)
    #expect(columns.tokens == (try ids([("it was", "he is"), ("it was", "he was not")])))
    #expect(columns.integers == [1])
    let named = try encode(
      [
        "question": "who", "choices": #"{"text": ["he", "she"], "label": ["A", "B"]}"#, "label": "B",
      ], composition)
    #expect(named.integers == [1])
  }

  @Test(
    "a row that does not fit it is refused with file and line",
    arguments: [
      (["choices": "[\"a\"]"], "the row has no 'question'; 'fields' can name its column"),
      (
        ["question": "who"],
        "the row has neither a JSON list 'choices' nor 'choice0'; 'fields' can name their columns"
      ),
      (
        ["question": "who", "choices": "[1]"],
        "'choices' is not a JSON list of texts, such as [\"yes\", \"no\"]"
      ),
      (
        ["question": "who", "choice0": "a", "choice1": "b", "label": "2"],
        "label '2' is not one of the row's 2 choices"
      ),
      (
        ["question": "who", "choices": #"["a", "b"]"#, "label": "c"],
        "label 'c' is not one of the row's 2 choices"
      ),
    ] as [([String: String], String)])
  func badRow(fields: [String: String], reason: String) throws {
    let composition = try compose()
    #expect(throws: DataError.row(path: "rows.jsonl", line: 3, reason: reason)) {
      try encode(fields, composition)
    }
  }

  /// Rows of two to four choices, of which the right one has a good word.
  private func rows(_ count: Int, seed: UInt64) -> String {
    var random = SeededGenerator(seed: seed)
    let (good, bad) = (["good", "great", "best", "fun"], ["bad", "worst", "dull", "cold"])
    return (0..<count).map { row in
      let right = random.index(below: 2 + row % 3)
      let choices = (0..<2 + row % 3).map { choice -> JSONValue in
        let words = choice == right ? good : bad
        return .string("\(words[random.index(below: 4)]) film")
      }
      return
        "{\"question\": \"what is it\", \"options\": \(JSONValue.array(choices).text(.line)), \"answer\": \(right)}\n"
    }.joined()
  }

  @Test("a run over rows of unequal numbers of choices trains, reloads alike and predicts")
  func run() throws {
    let tiny = try TinyRun()
    try tiny.write("train.jsonl", rows(90, seed: 1))
    try tiny.write("dev.jsonl", rows(31, seed: 2))
    let text = """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: {plugin: prompt-tuning, virtual_tokens: 3, initialization: sampled-vocabulary}
      tasks:
        - name: choose
          head: {plugin: multiple-choice, dropout: 0}
          data: {train: train.jsonl, validation: dev.jsonl, label: answer, fields: {choices: options}}
      training: {epochs: 6, batch_size: 8, learning_rate: 0.02, log_every: 1, threads: 2}
      output: \(tiny.path("out"))
      """
    let (result, losses) = try tiny.train(try RunSpec.parse(text, file: tiny.path("run.yaml")))
    #expect(try #require(losses.last) < 0.5 * (try #require(losses.first)))
    let best = try #require(result.validation.first?.metrics)
    #expect(best.map(\.name) == ["accuracy"])
    #expect(best[0].value > 0.8)

    let run = try tiny.load(result)
    let predictor = Predictor(run, task: 0, data: [run.folder.tasks[0].data], batchSize: 4)
    var right = 0
    var counts: [Int] = []
    let answers = rows(31, seed: 2).split(separator: "\n")
    try predictor.predict(rowsOf: tiny.path("dev.jsonl")) { prediction in
      let line = try JSONValue.parse(prediction.line(scores: true))
      let row = try JSONValue.parse(String(answers[counts.count]))
      counts.append(try line.list("scores").count)
      let choice = try #require(line["choice"]?.intValue)
      #expect(line["text"] == (try row.list("options"))[choice])
      #expect(try line.list("probabilities").count == counts.last)
      if choice == row["answer"]?.intValue { right += 1 }
    }
    #expect(counts == (0..<31).map { 2 + $0 % 3 })
    #expect(abs(Double(right) / 31 - best[0].value) < 1e-12)
  }
}
