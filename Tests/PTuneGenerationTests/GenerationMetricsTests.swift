import PTuneEngine
import PTuneFormats
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneGeneration

@Suite("Generation metrics") struct GenerationMetricsTests {
  @Test("BLEU is sacrebleu's, ROUGE-L is rouge-score's")
  func scores() throws {
    let cases = try #require(JSONValue.read("\(Workbench.fixtures)/text-scores.json").arrayValue)
    #expect(cases.count == 15)
    for test in cases {
      var metrics = GenerationMetrics()
      let texts = try #require(test["texts"]?.arrayValue).compactMap(\.stringValue)
      let references = try #require(test["references"]?.arrayValue)
      for (text, known) in zip(texts, references) {
        metrics.add(text, references: try #require(known.arrayValue).compactMap(\.stringValue))
      }
      for metric in metrics.metrics {
        let expected = try #require(test[metric.name]?.doubleValue)
        #expect(
          abs(metric.value - expected) < 1e-9,
          "\(test["name"]?.stringValue ?? ""), \(metric.name): \(metric.value) instead of \(expected)")
      }
    }
  }

  @Test("an evaluation generates a text for each row and compares it with the row's references")
  func evaluation() throws {
    let run = try TinyRun()
    let rows = ["the film is", "a dull plot", "it was"].map {
      #"{"prompt": "\#($0)", "rest": [" good", " a story"]}"#
    }
    try run.write("rows.jsonl", rows.joined(separator: "\n") + "\n")
    try run.write("train.jsonl", #"{"prompt": "the film is", "rest": " good"}"# + "\n")
    let spec = try run.spec(
      adapter: "{plugin: prompt-tuning, virtual_tokens: 4}",
      [
        "base.model=\(Workbench.fixtures)/tiny-llama", "tasks.0.head=causal-lm", "tasks.0.data.text=prompt",
        "tasks.0.data.text_pair=rest", "tasks.0.data.train=\(run.path("train.jsonl"))",
        "tasks.0.data.validation=", "tasks.0.data.test=", "training.epochs=40", "training.batch_size=1",
        "training.learning_rate=0.1",
      ])
    let adapter = try run.load(try run.train(spec).0)
    var data = adapter.composition.tasks[0].data
    data.train = Located(run.path("rows.jsonl"), .flag("test"))
    var options = GenerationOptions()
    options.maximumTokens = 4
    var (texts, expected) = ([String](), GenerationMetrics())
    let report = try adapter.evaluateGeneration(data, task: 0, options: options, progress: { _, _ in }) {
      text, references in
      #expect(references == [" good", " a story"])
      texts.append(text.text)
      expected.add(text.text, references: references)
    }
    #expect(texts.count == 3 && report.examples == 3)
    // What it has learnt by heart.
    #expect(texts[0] == " good")
    #expect(report.metrics.map(\.name) == ["bleu", "rouge_l", "exact_match"])
    #expect(report.metrics.map(\.value) == expected.metrics.map(\.value))
    #expect(report.metrics[2].value > 0)
    data.textPair = nil
    let failure = #expect(throws: DataError.self) {
      try adapter.evaluateGeneration(data, task: 0, options: options, progress: { _, _ in })
    }
    #expect(failure.map { "\($0)".contains("there is no reference") } == true)
  }
}
