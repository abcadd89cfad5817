import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile

@Suite("Texts of several labels") struct MultiLabelTests {
  private func compose(_ hyperparameters: [String: HyperparameterValue]) throws -> Composition {
    try Workbench.compose(
      checkpoint: "tiny-bert",
      adapter: ComponentChoice(plugin: "prompt-tuning", hyperparameters: ["virtual_tokens": .int(2)]),
      head: ComponentChoice(plugin: "sequence-classification", hyperparameters: hyperparameters))
  }

  private func compose(labels: [String], separator: String = "") throws -> Composition {
    try compose([
      "labels": .strings(labels), "multi_label": .bool(true), "label_separator": .string(separator),
    ])
  }

  private func encode(_ label: String, _ composition: Composition) throws -> EncodedExample {
    let row = TokenizedRow(
      line: 3, fields: ["label": label],
      content: .pieces(composition.tokenizer.pieces("a film"), pair: nil))
    return try composition.encode(row, task: 0, path: "a.tsv")
  }

  @Test("scores equal scikit-learn's", arguments: Workbench.cases("multi-label"))
  func metrics(_ fixture: FixtureCase) throws {
    let record = EvaluationRecord()
    func floats(_ list: JSONValue) throws -> [Float] {
      try #require(list.arrayValue).map { Float(try #require($0.intValue)) }
    }
    for (targets, predicted) in zip(try fixture.json.list("targets"), try fixture.json.list("predicted")) {
      record.add(
        scores: try floats(predicted).map { 2 * $0 - 1 }, columns: 5, integers: [],
        numbers: try floats(targets))
    }
    let metrics = try compose(labels: ["a", "b", "c", "d", "e"]).model.measure(record, task: 0)
    #expect(metrics.map(\.name) == ["f1_micro", "f1_macro", "subset_accuracy"])
    for metric in metrics {
      let expected = try #require(fixture.json[metric.name]?.doubleValue)
      #expect(abs(metric.value - expected) < 1e-12, "\(metric.name)")
    }
  }

  @Test("labels are a JSON list, or stand between separators")
  func labels() throws {
    let list = try compose(labels: ["long", "dull", "sad"])
    #expect(try encode("[]", list).numbers == [0, 0, 0])
    #expect(try encode(#"["sad", "long"]"#, list).numbers == [1, 0, 1])
    let text = try compose(labels: ["long", "dull", "sad"], separator: ", ")
    #expect(try encode("dull,  sad", text).numbers == [0, 1, 1])
    #expect(try encode("", text).numbers == [0, 0, 0])
  }

  @Test(
    "a row that does not fit it is refused with file and line",
    arguments: [
      (
        "long",
        "the row's label is not a JSON list of labels, such as [\"long\", \"dull\"]; 'label_separator' is for texts"
      ),
      (#"["fun"]"#, "label 'fun' is not one of long, dull"),
    ])
  func badRow(label: String, reason: String) throws {
    let composition = try compose(labels: ["long", "dull"])
    #expect(throws: DataError.row(path: "a.tsv", line: 3, reason: reason)) {
      try encode(label, composition)
    }
  }

  @Test("what is for texts of one label does not go with it")
  func combinations() throws {
    let labels = HyperparameterValue.strings(["a", "b"])
    #expect(throws: EngineFailure.self) {
      try compose(["labels": labels, "multi_label": .bool(true), "label_smoothing": .double(0.1)])
    }
    #expect(throws: EngineFailure.self) {
      try compose(["labels": labels, "multi_label": .bool(true), "class_weights": .strings(["a=2"])])
    }
    #expect(throws: EngineFailure.self) { try compose(["labels": labels, "label_separator": .string("|")]) }
  }

  @Test("a run learns each label by itself, with labels found in the data")
  func run() throws {
    var random = SeededGenerator(seed: 4)
    func table(_ rows: Int) -> String {
      "text\tlabel\n"
        + (0..<rows).map { _ in
          let labels = ["fun", "long", "cold"].filter { _ in random.index(below: 2) == 0 }
          return "the \(labels.joined(separator: " ")) film\t\(labels.joined(separator: "|"))\n"
        }.joined()
    }
    let tiny = try TinyRun()
    try tiny.write("train.tsv", table(120))
    try tiny.write("dev.tsv", table(40))
    let text = """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: {plugin: prompt-tuning, virtual_tokens: 3, dropout: 0}
      tasks:
        - name: tags
          head: {plugin: sequence-classification, multi_label: true, label_separator: "|", dropout: 0}
          data: {train: train.tsv, validation: dev.tsv}
      training: {epochs: 16, batch_size: 8, learning_rate: 0.03, log_every: 1, threads: 2}
      output: \(tiny.path("out"))
      """
    let (result, _) = try tiny.train(try RunSpec.parse(text, file: tiny.path("run.yaml")))
    #expect(try #require(result.validation.first?.metrics.first?.value) > 0.85)
    let run = try tiny.load(result)
    #expect(
      run.folder.tasks[0].head.hyperparameters["labels"] == .strings(["cold", "fun", "long"]))
    let predictor = Predictor(run, task: 0, data: [run.folder.tasks[0].data])
    let prediction = try JSONValue.parse(predictor.predict("the fun cold film", pair: nil).line(scores: true))
    #expect(try prediction.list("labels").map { try $0.text("label") } == ["cold", "fun"])
    #expect(try prediction.list("scores").count == 3)
  }
}
