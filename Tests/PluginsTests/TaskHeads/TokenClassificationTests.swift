import PTuneEngine
import PTuneFormats
import PTuneText
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile

@Suite("Token classification") struct TokenClassificationTests {
  static let path = "rows.jsonl"

  private func compose(labels: [String], allPieces: Bool = false) throws -> Composition {
    try Workbench.compose(
      checkpoint: "tiny-bert",
      adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
      head: ComponentChoice(
        plugin: "token-classification",
        hyperparameters: ["labels": .strings(labels), "label_all_pieces": .bool(allPieces)]))
  }

  private func list(_ texts: [String]) -> String {
    JSONValue.array(texts.map { .string($0) }).text(.line)
  }

  private func encode(
    _ text: String, words: [String]? = nil, label: String, with composition: Composition
  ) throws -> EncodedExample {
    var fields = ["text": text, "label": label]
    if let words { fields["words"] = list(words) }
    let row = TokenizedRow(
      line: 3, fields: fields, content: .pieces(composition.tokenizer.pieces(text), pair: nil))
    return try composition.encode(row, task: 0, path: Self.path)
  }

  @Test("entity and word scores equal seqeval's", arguments: Workbench.cases("seqeval"))
  func seqeval(_ fixture: FixtureCase) throws {
    let labels = try fixture.json.list("labels").map { try #require($0.stringValue) }
    let composition = try compose(labels: labels)
    let record = EvaluationRecord()
    for (targets, predicted) in zip(try fixture.json.list("targets"), try fixture.json.list("predicted")) {
      let tags = try #require(targets.arrayValue).compactMap(\.stringValue)
      let answers = try #require(predicted.arrayValue).compactMap(\.stringValue)
      // One token a word, "w w w", and a special one on both sides.
      let text = tags.map { _ in "w" }.joined(separator: " ")
      let words = tags.indices.map { (field: 0, range: 2 * $0..<2 * $0 + 1) }
      let special = (field: -1, range: 0..<0)
      let row = ExampleRow(
        fields: ["text": text, "label": list(tags)], tokens: Array(repeating: 5, count: tags.count + 2),
        spans: [special] + words + [special])
      let encoded = try composition.model.encode(row, task: 0)
      #expect(encoded.integers == [-1] + tags.map { Int32(labels.firstIndex(of: $0) ?? -2) } + [-1])
      let scores = (["O"] + answers + ["O"]).flatMap { tag in labels.map { $0 == tag ? Float(1) : 0 } }
      record.add(
        scores: scores, columns: labels.count, integers: encoded.integers, numbers: encoded.numbers)
    }
    let metrics = try composition.model.measure(record, task: 0)
    #expect(metrics.map(\.name) == ["f1", "precision", "recall", "accuracy"])
    for metric in metrics {
      let expected = try #require(fixture.json[metric.name]?.doubleValue)
      #expect(abs(metric.value - expected) < 1e-12, "\(metric.name)")
    }
  }

  @Test("the first piece of a word bears its tag")
  func alignment() throws {
    let composition = try compose(labels: ["B-A", "I-A", "O"])
    // film ##s, ( x ##y ), i
    let tags = list(["B-A", "I-A", "O"])
    let blanks = try encode("Films \t(xy) I", label: tags, with: composition)
    #expect(blanks.integers == [-1, 0, -1, 1, -1, -1, -1, 2, -1])
    #expect(blanks.numbers == [0, 1, 2, -1, 0, -1, 1, -1, -1, -1, 2, -1])
    let given = try encode("Films(xy)I", words: ["Films", "(xy)", "I"], label: tags, with: composition)
    #expect(given.integers == blanks.integers)
    let within = try encode("films (x", words: ["film", "s", "x"], label: tags, with: composition)
    #expect(within.integers == [-1, 0, 1, -1, 2, -1])
  }

  @Test("all pieces of a word bear its tag where that is asked for")
  func allPieces() throws {
    let composition = try compose(labels: ["B-A", "I-A", "O", "B-B"], allPieces: true)
    let tags = list(["B-A", "O", "B-B", "I-A"])
    let encoded = try encode("films acts xy xy", label: tags, with: composition)
    // film ##s, a ##c ##t ##s, x ##y, x ##y: there is no I-B
    #expect(encoded.integers == [-1, 0, 1, 2, 2, 2, 2, 3, 3, 1, 1, -1])
  }

  @Test("a word that was cut off counts as one without a tag")
  func truncation() throws {
    let composition = try compose(labels: ["B-A", "O"])
    let words = Array(repeating: "film", count: 100)
    let encoded = try encode(
      words.joined(separator: " "), label: list(words.map { _ in "B-A" }), with: composition)
    let kept = encoded.integers.count { $0 == 0 }
    #expect(kept == 60)
    let record = EvaluationRecord()
    record.add(
      scores: encoded.tokens.flatMap { _ in [Float(1), 0] }, columns: 2, integers: encoded.integers,
      numbers: encoded.numbers)
    let metrics = try composition.model.measure(record, task: 0)
    #expect(metrics.map(\.value) == [120.0 / 160, 1, 0.6, 0.6])
  }

  @Test(
    "a row that does not fit it is refused with file and line",
    arguments: [
      ("[\"O\"]", nil, "the row has 2 words, but 1 tags"),
      ("[\"O\", \"X\"]", nil, "tag 'X' is not one of B-A, O"),
      ("O O", nil, "the row's label is not a JSON list of tags, such as [\"O\", \"B-PER\"]"),
      ("[\"O\", \"O\"]", ["film", "the"], "the word 'the' is not in the text after character 8"),
    ] as [(String, [String]?, String)])
  func badRow(label: String, words: [String]?, reason: String) throws {
    let composition = try compose(labels: ["B-A", "O"])
    #expect(throws: DataError.row(path: Self.path, line: 3, reason: reason)) {
      try encode("the film", words: words, label: label, with: composition)
    }
  }

  /// Sentences, one of them again and again, in which `director actor` is a person of two words and `films` a thing of two pieces.
  private func columns(sentences: Int) -> String {
    var text = "-DOCSTART- -X- O\n\n"
    var random = SeededGenerator(seed: 3)
    for sentence in 0..<sentences {
      if sentence % 4 == 0 {
        text += "it D O\nwas V O\nDirector N B-WHO\nactor N I-WHO\ngood D O\nfilms N B-WHAT\n\n"
        continue
      }
      for _ in 0..<3 + random.next() % 6 {
        switch random.next() % 4 {
        case 0: text += "Director N B-WHO\nactor N I-WHO\n"
        case 1: text += "films N B-WHAT\n"
        default: text += "\(["the", "good", "it", "was"][Int(random.next() % 4)]) D O\n"
        }
      }
      text += "\n"
    }
    return text
  }

  @Test("a run over CoNLL files trains, and its adapter finds entities with their places in the text")
  func run() throws {
    let tiny = try TinyRun()
    try tiny.write("train.conll", columns(sentences: 80))
    try tiny.write("dev.conll", columns(sentences: 13))
    let text = """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: {plugin: prompt-tuning, virtual_tokens: 3, placement: middle}
      tasks:
        - name: names
          head: {plugin: token-classification, dropout: 0}
          data: {train: train.conll, validation: dev.conll}
      training: {epochs: 15, batch_size: 8, learning_rate: 0.01, log_every: 1, threads: 2}
      output: \(tiny.path("out"))
      """
    let (result, losses) = try tiny.train(try RunSpec.parse(text, file: tiny.path("run.yaml")))
    #expect(try #require(losses.last) < 0.2 * (try #require(losses.first)))

    let run = try tiny.load(result)
    var data = run.folder.tasks[0].data
    let predictor = Predictor(run, task: 0, data: [data], batchSize: 4)
    let sentence = "It was  Director Actor\tgood films"
    let prediction = try JSONValue.parse(predictor.predict(sentence, pair: nil).line(scores: false))
    let words = try prediction.list("words")
    #expect(
      try words.map { try $0.text("word") } == ["It", "was", "Director", "Actor", "good", "films"])
    #expect(
      try words.map { try $0.text("tag") } == ["O", "O", "B-WHO", "I-WHO", "O", "B-WHAT"])
    let entities = """
      [{"text": "Director Actor", "label": "WHO", "begin": 8, "end": 22}, \
      {"text": "films", "label": "WHAT", "begin": 28, "end": 33}]
      """
    #expect(prediction["entities"] == (try JSONValue.parse(entities)))

    var lines: [String] = []
    try predictor.predict(rowsOf: tiny.path("dev.conll")) { lines.append($0.line(scores: false)) }
    #expect(lines.count == 13)
    // Words alone are a text with blanks between.
    let rows = try tiny.write("rows.jsonl", "{\"words\": [\"it\", \"was\", \"films\"]}\n")
    data.format = .jsonl
    var single: [String] = []
    try Predictor(run, task: 0, data: [data], batchSize: 1).predict(rowsOf: rows) {
      single.append($0.line(scores: false))
    }
    #expect(single == [try predictor.predict("it was films", pair: nil).line(scores: false)])
  }

  @Test(
    "every word has its first piece, whatever blank the tokenizer's pieces begin with, and places count characters",
    arguments: ["tiny-gpt2", "tiny-llama", "tiny-bert"])
  func words(checkpoint: String) throws {
    let composition = try Workbench.compose(
      checkpoint: checkpoint,
      adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
      head: ComponentChoice(
        plugin: "token-classification", hyperparameters: ["labels": .strings(["B-A", "O"])]))
    let source = RowSource(
      data: composition.tasks[0].data, tokenizer: composition.tokenizer, chat: composition.chat,
      reading: composition.reading(task: 0))
    let words = ["film", "good", "film"]
    let tiny = try TinyRun(rows: 2)
    func tokenized(_ name: String, _ value: JSONValue, _ tags: [String]) throws -> TokenizedRow {
      let line: JSONValue = .object([name: value, "label": .array(tags.map { .string($0) })])
      return try #require(
        source.rows(of: tiny.write("a.jsonl", line.text(.line) + "\n"), labelled: true).first)
    }
    let tags = ["B-A", "O", "B-A"]
    let list = JSONValue.array(words.map { .string($0) })
    let row = try tokenized("words", list, tags)
    let example = try composition.encode(row, task: 0, path: "a.jsonl")
    #expect(example.integers.filter { $0 >= 0 } == [0, 1, 0])
    // The same word is the same pieces wherever it stands.
    let pieces = { (words: [String]) in
      let text = words.joined(separator: " ")
      return composition.tokenizer.pieces(words: WordPlaces.between(blanksOf: text), of: text).map(\.id)
    }
    #expect(pieces(["film", "film"]) == pieces(["film"]) + pieces(["film"]))
    // A text between blanks, and the column of the words named as that of the text, are the same row.
    for text in [try tokenized("text", "film good film", tags), try tokenized("text", list, tags)] {
      #expect(try composition.encode(text, task: 0, path: "a.jsonl").tokens == example.tokens)
    }
    // What stands in front has characters of two bytes.
    let laidOut = try composition.layOut(
      try tokenized("text", "ÄÖ film", ["O", "B-A"]), task: 0, path: "a.jsonl")
    let encoded = try composition.model.encode(laidOut.row, task: 0)
    let scores = encoded.integers.flatMap { $0 == 0 ? [Float(1), 0] : [0, 1] }
    let members = try composition.model.predict(scores, columns: 2, laidOut.row, task: 0)
    let entities = try #require(members.first { $0.key == "entities" }?.json)
    #expect(
      try JSONValue.parse(entities)
        == JSONValue.parse(#"[{"text": "film", "label": "A", "begin": 3, "end": 7}]"#))
  }
}
