import Foundation
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition

@Suite("Causal language modelling") struct CausalLMTests {
  private func compose(_ checkpoint: String = "tiny-gpt2") throws -> Composition {
    try Workbench.compose(
      checkpoint: checkpoint,
      adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
      head: ComponentChoice(plugin: "causal-lm"))
  }

  private func encode(_ text: String, _ pair: String?, _ composition: Composition) throws -> EncodedExample {
    let place = RunPlace.flag("test")
    let data = DataSpec(
      train: Located("", place), validation: nil, test: nil, format: nil, header: nil,
      text: Located("text", place), textPair: nil, label: Located("label", place), fields: [:],
      maximumRows: nil)
    let source = RowSource(
      data: data, tokenizer: composition.tokenizer, chat: composition.chat, reading: .continuedText)
    var fields = ["text": text]
    if let pair { fields["text_pair"] = pair }
    let row = TokenizedRow(line: 1, fields: fields, content: try source.content(text, pair))
    return try composition.encode(row, task: 0, path: "a.jsonl")
  }

  @Test("every token of a text but the first is a target, the one that ends it too")
  func text() throws {
    let composition = try compose()
    let example = try encode("the film", nil, composition)
    let pieces = composition.tokenizer.pieces("the film").map(\.id)
    #expect(example.tokens == pieces + [0])
    #expect(example.integers == example.tokens.dropFirst() + [-1])
  }

  @Test("of a prompt and its completion only the completion's tokens are targets")
  func completion() throws {
    let composition = try compose()
    let example = try encode("the film is", " good", composition)
    let prompt = composition.tokenizer.pieces("the film is").map(\.id)
    let completion = composition.tokenizer.pieces(" good").map(\.id)
    #expect(example.tokens == prompt + completion + [0])
    #expect(example.integers == prompt.dropLast().map { _ in -1 } + completion + [0, -1])
    // An empty completion ends at once.
    let empty = try encode("the film is", "", composition)
    #expect(empty.integers == prompt.dropLast().map { _ in -1 } + [0, -1])
  }

  @Test("a run without labels trains, and evaluation and prediction agree on its perplexity")
  func run() throws {
    let run = try TinyRun()
    let texts = ["the film is good", "a dull plot", "it was a very long and slow story"]
    let lines = texts.enumerated().map { index, text in "{\"prompt\": \"\(text)\", \"rest\": \" \(index)\"}" }
    for name in ["train.jsonl", "dev.jsonl"] { try run.write(name, lines.joined(separator: "\n") + "\n") }
    let spec = try run.spec(
      adapter: "{plugin: prompt-tuning, virtual_tokens: 4}",
      [
        "base.model=\(Workbench.fixtures)/tiny-llama", "tasks.0.head=causal-lm", "tasks.0.data.text=prompt",
        "tasks.0.data.text_pair=rest", "tasks.0.data.train=\(run.path("train.jsonl"))",
        "tasks.0.data.validation=\(run.path("dev.jsonl"))", "tasks.0.data.test=", "training.epochs=20",
        "training.batch_size=3", "training.learning_rate=0.1",
      ])
    let (result, losses) = try run.train(spec)
    let (first, last) = (try #require(losses.first), try #require(losses.last))
    #expect(last < first - 0.1)
    let adapter = try run.load(result)
    let data = adapter.composition.tasks[0].data
    var file = data
    file.train = Located(run.path("dev.jsonl"), .flag("test"))
    let report = try adapter.evaluate(file, task: 0, batchSize: 2) { _, _ in }
    #expect(report.metrics.map(\.name) == ["perplexity", "token_accuracy"])
    #expect(report.metrics.map(\.higherIsBetter) == [false, true])
    var (sum, count) = (0.0, 0.0)
    try Predictor(adapter, task: 0, data: [data]).predict(rowsOf: run.path("dev.jsonl")) { prediction in
      let members = Dictionary(
        uniqueKeysWithValues: prediction.members.map { ($0.key, Double($0.json) ?? .nan) })
      sum += try #require(members["log_probability"])
      count += try #require(members["tokens"])
      #expect(prediction.scores.allSatisfy { $0.count == 200 })
    }
    #expect(abs(exp(-sum / count) / report.metrics[0].value - 1) < 1e-4)
  }

  @Test("what a pool mixes depends on the prompt alone, which is all that generation knows")
  func poolQuery() throws {
    let composition = try Workbench.compose(
      checkpoint: "tiny-gpt2",
      adapter: ComponentChoice(
        plugin: "prompt-pool",
        hyperparameters: ["pool_size": .int(3), "virtual_tokens": .int(2), "deviation": .double(1)]),
      selector: ComponentChoice(plugin: "attention"), head: ComponentChoice(plugin: "causal-lm"))
    func weights(_ examples: [EncodedExample]) throws -> [[Float]] {
      var weights = examples.map { _ in [Float]() }
      _ = try composition.scores(examples, task: 0, batchSize: 4) { weights[$0] = $1 }
      return weights
    }
    let same = try weights([
      encode("the film is", " good", composition),
      encode("the film is", " a long and dull story", composition),
      encode("a plot", " good", composition),
    ])
    #expect(same[0] == same[1])
    #expect(same[0] != same[2])
    // And it is what generation mixes for the prompt.
    let prompt = composition.tokenizer.pieces("the film is").map(\.id)
    let alone = PackedBatch([PackedBatch.Sequence(tokens: prompt)], training: false)
    #expect(try composition.model.scores(alone).weights == [same[0]])
    // Of a text alone nothing is known before its second token.
    let texts = try weights([
      encode("the film is good", nil, composition), encode("the plot", nil, composition),
    ])
    #expect(texts[0] == texts[1])
  }

  @Test("an encoder is refused")
  func encoder() throws {
    let failure = #expect(throws: EngineFailure.self) { try compose("tiny-bert") }
    #expect(
      failure?.reason
        == "causal-lm needs a causal base model; in an encoder, each token sees the one that it would have to predict"
    )
  }

  @Test("a tokenizer without a token that ends a text is refused")
  func noEnd() throws {
    let failure = #expect(throws: DataError.self) {
      let bert = try TokenizerLoader.load("\(Workbench.fixtures)/tiny-bert")
      let data = try compose().tasks[0].data
      return try RowSource(
        data: data, tokenizer: bert, chat: ChatTemplates(folders: [""], tokenizer: bert),
        reading: .continuedText
      ).content("a film", nil)
    }
    #expect(failure?.description.contains("no token that ends a text") == true)
  }

  @Test("by default the last token of a text stands for it in a causal model; its first one cannot")
  func pooling() throws {
    func scores(_ pooling: String?) throws -> [Float] {
      var head: [String: HyperparameterValue] = ["labels": .strings(["a", "b"])]
      if let pooling { head["pooling"] = .string(pooling) }
      let composition = try Workbench.compose(
        checkpoint: "tiny-gpt2", adapter: ComponentChoice(plugin: "prefix-tuning"),
        head: ComponentChoice(plugin: "sequence-classification", hyperparameters: head))
      let batch = PackedBatch([PackedBatch.Sequence(tokens: [5, 6, 7])], training: false)
      return try composition.model.scores(batch).perExample[0]
    }
    #expect(try scores(nil) == scores("last"))
    #expect(try scores(nil) != scores("mean"))
    let failure = #expect(throws: EngineFailure.self) { try scores("cls") }
    #expect(
      failure?.reason
        == "pooling 'cls' reads a row that has not seen the text in a causal model; use last or mean")
  }

  @Test("a text that ends with the token that ends a text has no second one")
  func endsAlready() throws {
    let composition = try compose()
    let end = try #require(
      composition.tokenizer.specialTokens.end.flatMap { composition.tokenizer.token($0) })
    for (text, pair) in [("the film", nil), ("the film is", " good"), ("the film is", "")]
      as [(String, String?)]
    {
      let without = try encode(text, pair, composition)
      let with = try encode(pair == nil ? text + end : text, pair.map { $0 + end }, composition)
      #expect(with.tokens == without.tokens && with.integers == without.integers)
    }
  }

  @Test("a perplexity over no token is no number")
  func noNumber() throws {
    let composition = try compose()
    let record = EvaluationRecord()
    record.add(scores: [0, 0], columns: 2, integers: [-1], numbers: [])
    #expect(try composition.model.measure(record, task: 0).allSatisfy { $0.value.isNaN })
    let row = ExampleRow(fields: ["text": ""], tokens: [0], spans: [(field: -1, range: 0..<0)])
    let members = try composition.model.predict(
      [Float](repeating: 0, count: 200), columns: 200, row, task: 0)
    #expect(members.first { $0.key == "perplexity" }?.json == "null")
  }
}
