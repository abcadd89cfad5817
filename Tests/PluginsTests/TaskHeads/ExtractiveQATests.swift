import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile

@Suite("Extractive question answering") struct ExtractiveQATests {
  static let path = "rows.jsonl"

  private func compose(
    _ hyperparameters: [String: HyperparameterValue] = [:], adapter: ComponentChoice? = nil
  ) throws -> Composition {
    try Workbench.compose(
      checkpoint: "tiny-bert",
      adapter: adapter
        ?? ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(4)]),
      head: ComponentChoice(plugin: "extractive-qa", hyperparameters: hyperparameters))
  }

  private func label(_ answers: [(text: String, start: Int)]) -> String {
    let label: JSONValue = [
      "text": .array(answers.map { .string($0.text) }),
      "answer_start": .array(answers.map { .int($0.start) }),
    ]
    return label.text(.line)
  }

  private func row(
    _ question: String, _ context: String, answers: [(text: String, start: Int)]? = nil
  ) -> TokenizedRow {
    var fields = ["question": question, "context": context]
    if let answers { fields["label"] = label(answers) }
    return TokenizedRow(line: 3, fields: fields, content: .fields)
  }

  /// A context of this many words of one piece each, of which number n is `letters[n % 26]`.
  private func context(words: Int) -> String {
    (0..<words).map { String("abcdefghijklmnopqrstuvwxyz".dropFirst($0 % 26).first!) }.joined(separator: " ")
  }

  // MARK: - Metrics

  @Test("exact match and F1 equal those of the official scripts", arguments: Workbench.cases("squad"))
  func metrics(_ fixture: FixtureCase) throws {
    let composition = try compose(["no_answer": .bool(fixture.json["no_answer"] == true)])
    let record = EvaluationRecord()
    for (predicted, gold) in zip(try fixture.json.list("predicted"), try fixture.json.list("gold")) {
      let answer = try #require(predicted.stringValue)
      let texts = try #require(gold.arrayValue).map { try #require($0.stringValue) }
      // The context is all answers one after the other; the model points at the one it predicts.
      let context = ([answer] + texts).joined(separator: "|")
      let row = ExampleRow(
        fields: [
          "question": "?", "context": context,
          "label": label(
            texts.prefix(1).map { ($0, answer.unicodeScalars.count + 1) } + texts.dropFirst().map { ($0, 0) }),
        ], tokens: [2, 5], spans: [(field: -1, range: 0..<0), (field: 1, range: 0..<answer.utf8.count)])
      let score: Float = answer.isEmpty ? -1 : 1
      record.add(
        scores: [0, 0, score, score], columns: 2, integers: [], numbers: [], row: { row })
    }
    let metrics = try composition.model.measure(record, task: 0)
    let expected = try #require(fixture.json["metrics"]?.objectValue)
    #expect(metrics.map(\.name) == expected.map { $0.0 })
    for metric in metrics {
      let value = try #require(expected[metric.name]?.doubleValue)
      #expect(abs(metric.value - value) < 1e-12, "\(metric.name): \(metric.value), not \(value)")
    }
  }

  // MARK: - Windows and places

  @Test(
    "the windows of a long context hold every token, and share as many as asked", arguments: [0, 1, 7, 20])
  func windows(overlap: Int) throws {
    let composition = try compose(["doc_stride": .int(overlap)])
    let text = context(words: 150)
    let laidOut = try composition.layOut(row("who a", text), task: 0, path: Self.path)
    // 64 positions less 4 virtual tokens, 3 special ones and the 2 of the question.
    let room = 55
    var begin = 0
    let pieces = composition.tokenizer.pieces(text)
    for (start, end) in zip(laidOut.offsets, laidOut.offsets.dropFirst()) {
      let window = laidOut.tokens[Int(start)..<Int(end)]
      #expect(window.count <= composition.maximumLength)
      #expect(Array(window.prefix(4)) == [2] + composition.tokenizer.pieces("who a").map(\.id) + [3])
      let expected = pieces[begin..<min(begin + room, pieces.count)]
      #expect(Array(window.dropFirst(4).dropLast()) == expected.map(\.id))
      if begin + room < pieces.count { begin += room - overlap }
    }
    #expect(begin + room >= pieces.count)
    #expect(laidOut.dropped == 0)
  }

  @Test("an answer is sought in each window, also on its border; [CLS] stands for windows without all of it")
  func borders() throws {
    let composition = try compose(["doc_stride": .int(10)])
    let text = context(words: 120)
    // Word w is byte 2w. Windows hold words 0…54, 45…99 and 90…119; the context begins at token 4.
    func targets(_ words: Range<Int>) throws -> [Int32] {
      let begin = 2 * words.lowerBound
      let end = 2 * words.upperBound - 1
      let answer = String(decoding: Array(text.utf8)[begin..<end], as: UTF8.self)
      let example = try composition.encode(
        row("who a", text, answers: [(answer, begin)]), task: 0, path: Self.path)
      #expect(example.offsets.count == 4)
      return example.integers
    }
    #expect(try targets(0..<1) == [4, 4, 0, 0, 0, 0])
    #expect(try targets(54..<55) == [58, 58, 13, 13, 0, 0])
    #expect(try targets(45..<47) == [49, 50, 4, 5, 0, 0])
    #expect(try targets(44..<46) == [48, 49, 0, 0, 0, 0])
    #expect(try targets(54..<56) == [0, 0, 13, 14, 0, 0])
    #expect(try targets(99..<100) == [0, 0, 58, 58, 13, 13])
    #expect(try targets(119..<120) == [0, 0, 0, 0, 33, 33])
    // Longer than what two windows share, and across them: no window holds all of it.
    #expect(try targets(40..<60) == [0, 0, 0, 0, 0, 0])
  }

  @Test("places count code points, and the answer is cut from the context as it was written")
  func places() throws {
    let composition = try compose()
    let context = "Ünï 😀 é \"The GREAT Film\" of 十 films"
    for answer in ["Ünï", "GREAT Film", "The GREAT", "十", "films", "😀 é"] {
      let scalars = Array(context.unicodeScalars)
      let sought = Array(answer.unicodeScalars)
      let start = try #require(scalars.indices.first { scalars[$0...].starts(with: sought) })
      let given = row("what", context, answers: [(answer, start)])
      let example = try composition.encode(given, task: 0, path: Self.path)
      #expect(example.integers.count == 2 && example.integers[0] > 0, "\(answer)")
      var scores = [Float](repeating: 0, count: 2 * example.tokens.count)
      scores[2 * Int(example.integers[0])] = 9
      scores[2 * Int(example.integers[1]) + 1] = 9
      let laidOut = try composition.layOut(given, task: 0, path: Self.path)
      let members = try composition.model.predict(scores, columns: 2, laidOut.row, task: 0)
      #expect(members.first?.key == "answer")
      #expect(try JSONValue.parse(members[0].json).stringValue == answer)
    }
  }

  @Test(
    "a question without an answer gets none where [CLS] scores more than the threshold above the best one")
  func noAnswer() throws {
    let given = row("what", "a b c")
    func answer(_ threshold: Double, none: Float) throws -> JSONValue {
      let composition = try compose(["no_answer": .bool(true), "null_threshold": .double(threshold)])
      let laidOut = try composition.layOut(given, task: 0, path: Self.path)
      // [CLS] what [SEP] a b c [SEP]: "b" scores 3.
      var scores = [Float](repeating: 0, count: 14)
      (scores[0], scores[1], scores[8], scores[9]) = (none, 0, 1, 2)
      let members = try composition.model.predict(scores, columns: 2, laidOut.row, task: 0)
      return .object(try members.reduce(into: JSONObject()) { $0[$1.key] = try JSONValue.parse($1.json) })
    }
    #expect(try answer(0, none: 2.9)["answer"] == "b")
    let empty = try answer(0, none: 3.1)
    #expect(empty["answer"] == "")
    #expect(empty["begin"] == nil)
    #expect(try empty.list("n_best").first?["text"] == "")
    #expect(try answer(1, none: 3.9)["answer"] == "b")
    #expect(try answer(-1, none: 2.1)["answer"] == "")
    let list = try answer(0, none: 1).list("n_best")
    #expect(list.first?["text"] == "b")
    #expect(list.first?["score"] == 3.0)
    let sum = list.reduce(0) { $0 + ($1["probability"]?.doubleValue ?? 0) }
    #expect(abs(sum - 1) < 1e-9)
    // a, a b, a b c, b, b c, c, and none
    #expect(list.count == 7)
  }

  @Test(
    "a row that does not fit it is refused with file and line",
    arguments: [
      (
        ["question": "who"],
        "the row needs a 'question' and a 'context'; 'fields' can name their columns"
      ),
      (
        ["question": "who", "context": "a b", "label": "a"],
        "the row's label is not an object like {\"text\": [\"France\"], \"answer_start\": [159]}"
      ),
      (
        ["question": "who", "context": "a b", "label": #"{"text": ["b"], "answer_start": [1]}"#, "id": "q7"],
        "question 'q7': the answer 'b' is not at character 1 of the context"
      ),
      (
        ["question": "who", "context": "a b", "label": #"{"text": ["b"], "answer_start": [9]}"#],
        "the answer 'b' is not at character 9 of the context"
      ),
      (
        ["question": "who", "context": "a b", "label": #"{"text": [], "answer_start": []}"#],
        "the question has no answer; with 'no_answer: true' it may"
      ),
      (
        ["question": "a b c d e f g h i j k l m n", "context": "a", "label": "-"].merging([
          "context": String(repeating: "a ", count: 60)
        ]) { $1 },
        "60 positions leave a window 43 tokens beside the other text, and windows share 50; shorten the other "
          + "text, reduce the overlap of windows, or use a larger maximum length"
      ),
    ] as [([String: String], String)])
  func badRow(fields: [String: String], reason: String) throws {
    let composition = try compose(["doc_stride": .int(50)])
    #expect(throws: DataError.row(path: Self.path, line: 3, reason: reason)) {
      try composition.encode(
        TokenizedRow(line: 3, fields: fields, content: .fields), task: 0, path: Self.path)
    }
  }

  // MARK: - Runs

  /// Questions whose answer is `Fun Film`, wherever it stands; before it stand letters of two bytes.
  private func squad(questions: Int, seed: UInt64) throws -> String {
    var random = SeededGenerator(seed: seed)
    let words = ["good", "bad", "long", "short", "Old", "new", "Cold", "warm"]
    let paragraphs = (0..<questions).map { index -> JSONValue in
      var parts = (0..<6).map { _ in words[random.index(below: words.count)] }
      let place = random.index(below: 6)
      let answer = "Fun Film"
      parts[place] = answer
      parts.insert("ÄÖ", at: 0)
      let before = parts[...place].joined(separator: " ").unicodeScalars.count + 1
      return [
        "context": .string(parts.joined(separator: " ")),
        "qas": [
          [
            "id": .string("q\(index)"), "question": .string("who was it"),
            "answers": [["text": .string(answer), "answer_start": .int(before)]],
          ]
        ],
      ]
    }
    let document: JSONValue = [
      "version": "1.1", "data": [["title": "made up", "paragraphs": .array(paragraphs)]],
    ]
    return document.text(.line)
  }

  @Test(
    "a run over SQuAD files learns answers, which input prompts do not shift, and reloads alike",
    arguments: [
      "{plugin: prompt-tuning, virtual_tokens: 3, placement: start, dropout: 0}",
      "{plugin: prefix-tuning, virtual_tokens: 3, dropout: 0}",
    ])
  func run(adapter: String) throws {
    let tiny = try TinyRun()
    try tiny.write("train.json", squad(questions: 120, seed: 1))
    try tiny.write("dev.json", squad(questions: 20, seed: 2))
    let text = """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: \(adapter)
      tasks:
        - name: reading
          head: {plugin: extractive-qa, doc_stride: 4}
          data: {train: train.json, validation: dev.json, format: squad}
      training: {epochs: 12, batch_size: 8, learning_rate: 0.02, log_every: 1, threads: 2}
      output: \(tiny.path("out"))
      """
    let (result, losses) = try tiny.train(try RunSpec.parse(text, file: tiny.path("run.yaml")))
    #expect(try #require(losses.last) < 0.5 * (try #require(losses.first)))
    let best = try #require(result.validation.first?.metrics)
    #expect(best.map(\.name) == ["f1", "exact_match"])
    #expect(best[1].value > 0.7)

    let run = try tiny.load(result)
    var data = run.folder.tasks[0].data
    (data.train, data.format) = (Located(tiny.path("dev.json"), .flag("test")), .squad)
    let again = try run.evaluate(data, task: 0, batchSize: 3) { _, _ in }
    #expect(again.metrics.map(\.value) == best.map(\.value))

    data.format = .jsonl
    let predictor = Predictor(run, task: 0, data: [data], batchSize: 1)
    let context = "ÄÖ good Fun Film long bad"
    let single = try JSONValue.parse(predictor.predict("who was it", pair: context).line(scores: true))
    #expect(single["answer"] == "Fun Film")
    // In characters, not bytes.
    #expect(single["begin"] == 8)
    #expect(single["end"] == 16)
    // [CLS] who was it [SEP], the context, [SEP]: prompts have no scores.
    #expect(try single.list("start_scores").count == single.list("end_scores").count)
    #expect(try single.list("start_scores").count == 5 + run.composition.tokenizer.pieces(context).count + 1)
    let rows = try tiny.write(
      "rows.jsonl",
      "{\"id\": 4, \"question\": \"who was it\", \"context\": \(JSONValue.string(context).text(.line))}\n")
    var lines: [String] = []
    try predictor.predict(rowsOf: rows) { lines.append($0.line(scores: true)) }
    let line = try predictor.predict("who was it", pair: context).line(scores: true)
    #expect(lines == ["{\"id\": 4, \(line.dropFirst())"])

    // The same tokens as ids: places among tokens, and the same scores.
    let laidOut = try run.composition.layOut(row("who was it", context), task: 0, path: "test")
    let ids = try tiny.write(
      "ids.jsonl", "{\"input_ids\": \(laidOut.tokens), \"token_type_ids\": \(laidOut.types)}\n")
    var given: [JSONValue] = []
    try predictor.predict(rowsOf: ids) { given.append(try JSONValue.parse($0.line(scores: true))) }
    #expect(given.first?["start_scores"] == single["start_scores"])
    #expect(given.first?["answer"] == nil)
    let tokens = run.composition.tokenizer.pieces("ÄÖ good").count
    #expect(given.first?["first_token"]?.intValue == 5 + tokens)
  }

  // MARK: - Nothing to choose from

  @Test("a context or a question without a token has no answer", arguments: ["", " ", "\u{200B}", "\n"])
  func empty(text: String) throws {
    for allowsNone in [false, true] {
      let composition = try compose(["no_answer": .bool(allowsNone)])
      for given in [row("what", text), row(text, "a b"), row(text, text)] {
        let laidOut = try composition.layOut(given, task: 0, path: Self.path)
        let scores = (0..<2 * laidOut.tokens.count).map { Float($0 % 7) }
        let members = try composition.model.predict(scores, columns: 2, laidOut.row, task: 0)
        let answer = try JSONValue.parse(try #require(members.first { $0.key == "answer" }?.json))
        #expect(given.fields["context"] == "a b" || answer == "")
      }
      let label = allowsNone ? [(text: String, start: Int)]() : nil
      if let label {
        let example = try composition.encode(row("what", text, answers: label), task: 0, path: Self.path)
        #expect(example.integers == [0, 0])
      }
    }
  }

  @Test("blanks at both ends are no part of an answer, and one of blanks alone is none")
  func blanks() throws {
    let composition = try compose()
    let context = "a é b"
    // One token for each character of the context: pieces may begin at the blank in front of a word.
    let row = ExampleRow(
      fields: ["question": "?", "context": context], tokens: [2, 5, 6, 7, 3],
      spans: [(-1, 0..<0), (1, 0..<1), (1, 1..<4), (1, 4..<5), (1, 5..<6)].map { (field: $0.0, range: $0.1) })
    func answer(_ begin: Int, _ end: Int) throws -> JSONValue {
      var scores = [Float](repeating: 0, count: 10)
      (scores[2 * begin], scores[2 * end + 1]) = (9, 9)
      let members = try composition.model.predict(scores, columns: 2, row, task: 0)
      return .object(try members.reduce(into: JSONObject()) { $0[$1.key] = try JSONValue.parse($1.json) })
    }
    let word = try answer(2, 3)
    #expect(word["answer"] == "é" && word["begin"] == 2 && word["end"] == 3)
    #expect(try answer(3, 3)["answer"] != " ")
  }

  @Test("an answer whose first character several tokens spell begins with the first of them")
  func bytes() throws {
    let composition = try compose()
    let row = ExampleRow(
      fields: ["question": "?", "context": "é", "label": label([("é", 0)])], tokens: [2, 5, 6, 3],
      spans: [(-1, 0..<0), (1, 0..<2), (1, 0..<2), (-1, 0..<0)].map { (field: $0.0, range: $0.1) })
    #expect(try composition.model.encode(row, task: 0).integers == [1, 2])
  }
}
