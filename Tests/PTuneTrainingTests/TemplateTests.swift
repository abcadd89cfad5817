import Foundation
import PTuneEngine
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile
@testable import PTuneTraining

/// Templates and the cloze head in whole runs.
@Suite("Templates") struct TemplateTests {
  private static let template = "{prompt:1} {text} {prompt:2} it was {mask}."
  private static let words = #"["positive=great,good", "negative=terrible,bad"]"#

  /// A run of an adapter with a template, under the cloze head.
  private static func settings(
    template: String? = template, head: String = "masked-lm-verbalizer", words: String? = words
  ) -> [String] {
    ["base.model=\(Workbench.fixtures)/tiny-bert-mlm", "tasks.tone.head.plugin=\(head)"]
      + (words.map { ["tasks.tone.head.words=\($0)"] } ?? [])
      + (template.map { ["tasks.tone.data.template=\($0)"] } ?? [])
  }

  private static let adapters = [
    "{plugin: prompt-tuning, virtual_tokens: 3, placement: template}",
    "{plugin: p-tuning, virtual_tokens: 3, placement: template}",
    "{plugin: p-tuning, virtual_tokens: 3, placement: template, encoder: lstm}",
    "{plugin: p-tuning, virtual_tokens: 3, placement: template, encoder: none, deviation: 0.02}",
    "{plugin: prompt-pool, pool_size: 3, virtual_tokens: 3, placement: template}",
  ]

  private func spec(_ tiny: TinyRun, _ adapter: String, _ settings: [String]) throws -> RunSpec {
    let selector = adapter.contains("prompt-pool") ? ["selector.plugin=attention"] : []
    return try tiny.spec(adapter: adapter, settings + selector)
  }

  @Test(
    "some steps lower the loss, and what was saved predicts the same, as rows and as texts",
    arguments: adapters)
  func trains(_ adapter: String) throws {
    let tiny = try TinyRun()
    let settings = ["training.epochs=6", "training.learning_rate=0.03"]
    let (result, losses) = try tiny.train(spec(tiny, adapter, settings + Self.settings()))
    let (first, last) = (losses.prefix(8).reduce(0, +), losses.suffix(8).reduce(0, +))
    #expect(last < 0.9 * first, "from \(first / 8) to \(last / 8)")

    let run = try tiny.load(result)
    #expect(run.folder.tasks[0].data.template?.value.source == Self.template)
    let data = run.folder.tasks[0].data
    var test = data
    test.train.value = tiny.path("test.tsv")
    let again = try run.evaluate(test, task: 0, batchSize: 64) { _, _ in }
    #expect(again.metrics.map(\.value) == result.test[0].metrics.map(\.value))

    let predictor = Predictor(run, task: 0, data: [data], batchSize: 1)
    let file = try tiny.write("rows.tsv", "sentence\na good film\n")
    var line = ""
    try predictor.predict(rowsOf: file) { line = $0.line(scores: true) }
    #expect(try predictor.predict("a good film", pair: nil).line(scores: true) == line)
  }

  @Test("a key-value prefix works with a template of words and a mask alone")
  func withoutPrompt() throws {
    let tiny = try TinyRun()
    let settings = ["training.epochs=4"] + Self.settings(template: "{text} it was {mask}.")
    let (_, losses) = try tiny.train(spec(tiny, "{plugin: prefix-tuning, virtual_tokens: 3}", settings))
    #expect(losses.suffix(8).reduce(0, +) < losses.prefix(8).reduce(0, +))
  }

  @Test("the run that is written down has the template again")
  func written() throws {
    let tiny = try TinyRun()
    let spec = try spec(tiny, Self.adapters[0], Self.settings(template: #"{text}: "{{x}}" {prompt}"#))
    let again = try RunSpec.parse(spec.yaml(), file: tiny.path("run.yaml"))
    #expect(again.tasks[0].data.template?.value.source == #"{text}: "{{x}}" {prompt}"#)
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var adapter = adapters[0]
    let settings: [String]
    let reason: String
    var testDescription: String { reason }
  }

  @Test(
    "what does not go together is refused before training",
    arguments: [
      Refusal(
        settings: settings(template: nil),
        reason: "it needs a template with {mask} in the data of task 'tone', such as "
          + "template: \"{text} It was {mask}.\""),
      Refusal(
        settings: settings(template: "{text} {prompt}"),
        reason: "it needs a template with {mask} in the data of task 'tone'"),
      Refusal(
        settings: settings(template: "{text} {mask}"),
        reason: "placement 'template': the data of task 'tone' has no template with {prompt}"),
      Refusal(
        settings: settings(template: "{prompt:2} {text} {prompt:3} {mask}"),
        reason: "inject: the template of task 'tone' has places for 5 virtual tokens, but the adapter has 3"),
      Refusal(
        adapter: "{plugin: prompt-tuning, virtual_tokens: 3}", settings: settings(),
        reason: "the template of task 'tone' has {prompt}, but the adapter puts no rows there"),
      Refusal(
        adapter: "prefix-tuning", settings: settings(),
        reason: "the template of task 'tone' has {prompt}, but the adapter puts no rows there"),
      Refusal(
        adapter: "{plugin: prefix-tuning, form: hidden, shift_positions: false}",
        settings: settings(template: "{prompt} {text} {mask}"),
        reason:
          "the template has {prompt}, but the adapter 'prefix-tuning' has no virtual tokens among the words"),
      Refusal(
        settings: settings(template: "{prompt} {text} {mask} or {mask}"),
        reason: "each text needs exactly one mask token; its template has to have {mask} once"),
      Refusal(
        settings: settings(template: "{prompt} {text} {label} {mask}"),
        reason: "the template shows the label to the model: {label} is the column 'label'"),
      Refusal(
        adapter: "prefix-tuning", settings: settings(template: "{text}", head: "extractive-qa", words: nil),
        reason:
          "the head 'extractive-qa' arranges a row's sequences itself, so it cannot be used with a template"),
      Refusal(
        settings: settings(template: "{prompt} {title} {mask}"), reason: "train.tsv:2: no column \"title\""),
      Refusal(
        settings: settings(words: #"["positive=good"]"#),
        reason: "words: there are none for the label 'negative'"),
      Refusal(
        settings: settings(words: #"["positive=good,,fine", "negative=bad"]"#),
        reason: "words: 'positive=good,,fine' is not label=word or label=word,word"),
      Refusal(
        settings: settings(words: #"["positive=good", "other=bad"]"#),
        reason: "words: 'other' is not one of negative, positive"),
      Refusal(
        settings: settings(words: #"["positive=good", "positive=fine"]"#),
        reason: "words: 'positive' occurs twice; put its words in one text"),
      Refusal(
        settings: settings(words: #"["positive=好", "negative=bad"]"#),
        reason: "words: the model's vocabulary cannot spell '好'"),
      Refusal(
        settings: settings() + ["base.model=\(Workbench.fixtures)/tiny-bert"],
        reason: "the checkpoint has no masked language model's head (cls.predictions.transform.dense.weight)"),
      Refusal(
        settings: settings() + ["base.model=\(Workbench.fixtures)/tiny-distilbert"],
        reason: "the checkpoint has no masked language model's head (vocab_transform.weight)"),
      Refusal(
        settings: settings() + ["base.model=\(Workbench.fixtures)/tiny-roberta"],
        reason: "the checkpoint has no masked language model's head (lm_head.dense.weight)"),
    ])
  func refusals(_ refusal: Refusal) throws {
    let tiny = try TinyRun(rows: 8)
    let error = #expect(throws: (any Error).self) {
      try TrainingRun(
        spec(tiny, refusal.adapter, refusal.settings), registry: Workbench.factory().registry
      ) { _, _ in }
    }
    #expect(error.map { "\($0)" }?.contains(refusal.reason) == true, "\(error.map { "\($0)" } ?? "")")
  }

  @Test("a row that holds the mask itself is named by its line")
  func maskInText() throws {
    let tiny = try TinyRun(rows: 8)
    try tiny.write("train.tsv", "sentence\tlabel\na good film\tpositive\na [MASK] film\tnegative\n")
    let error = #expect(throws: DataError.self) {
      try TrainingRun(
        spec(tiny, Self.adapters[0], Self.settings()), registry: Workbench.factory().registry
      ) { _, _ in }
    }
    #expect(
      error?.description
        == "\(tiny.path("train.tsv")):3: the row's own text contains the mask token '[MASK]'; remove it")
  }

  @Test("a malformed template is named by line, key and character")
  func malformed() throws {
    let tiny = try TinyRun(rows: 8)
    let error = #expect(throws: RunFileError.self) {
      try RunSpec.parse(
        """
        base: {model: x}
        adapter: prompt-tuning
        tasks:
          - head: masked-lm-verbalizer
            data:
              train: x.tsv
              template: "{prompt:3} {text}, it was {mask."
        """, file: tiny.path("run.yaml"))
    }
    #expect(
      error?.description
        == "\(tiny.path("run.yaml")):7: 'template', character 27: '{' is not closed; a brace of the text itself is "
        + "written '{{'")
  }

  @Test("a head that config.json unties from the word embeddings needs a table of its own")
  func untied() throws {
    let tiny = try TinyRun(rows: 8)
    let source = "\(Workbench.fixtures)/tiny-bert-mlm"
    for name in ["model.safetensors", "vocab.txt"] {
      try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: tiny.path(name))
    }
    guard case .object(var config) = try JSONValue.read("\(source)/config.json") else { return }
    config["tie_word_embeddings"] = false
    try tiny.write("config.json", JSONValue.object(config).text(.line))
    let error = #expect(throws: (any Error).self) {
      try TrainingRun(
        spec(tiny, Self.adapters[0], Self.settings() + ["base.model=\(tiny.folder)"]),
        registry: Workbench.factory().registry
      ) { _, _ in }
    }
    #expect(
      error.map { "\($0)" }?.contains("the checkpoint has no tensor 'cls.predictions.decoder.weight'") == true
    )
  }
}
