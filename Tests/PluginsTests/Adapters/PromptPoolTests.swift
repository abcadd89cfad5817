import PTuneEngine
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneTraining

@Suite("Prompt pools") struct PromptPoolTests {
  private static let pool = "{plugin: prompt-pool, pool_size: 3, virtual_tokens: 2, keys: learned, pull: 0.1}"

  private static let selectors = [
    ["selector.plugin=attention", "selector.train_temperature=true"],
    ["selector.plugin=top-k", "selector.k=2"],
    ["selector.plugin=top-k", "selector.k=2", "selector.weights=straight-through"],
    [
      "selector.plugin=top-k", "selector.k=2", "selector.frequency_penalty=true", "adapter.at=layers",
      "adapter.combine=concatenation", "adapter.chosen=2", "adapter.diversity=0.1",
    ],
  ]

  @Test("some steps lower the loss", arguments: selectors)
  func learns(selector: [String]) throws {
    let tiny = try TinyRun()
    let settings = ["training.epochs=6", "training.learning_rate=0.03", "tasks.tone.head.dropout=0"]
    let (_, losses) = try tiny.train(try tiny.spec(adapter: Self.pool, settings + selector))
    let (first, last) = (losses.prefix(8).reduce(0, +), losses.suffix(8).reduce(0, +))
    #expect(last < 0.9 * first, "from \(first / 8) to \(last / 8)")
  }

  @Test("a saved pool and its selector give the same scores bit for bit", arguments: selectors)
  func reloads(selector: [String]) throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(adapter: Self.pool, ["training.max_steps=10"] + selector)
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    let result = try Trainer(run) { _ in }.train(resume: false) { false }
    let examples = try #require(run.examples[0].test)
    let loaded = try tiny.load(result)
    let (before, _) = try run.composition.scores(examples, task: 0, batchSize: 5)
    let (after, _) = try loaded.composition.scores(examples, task: 0, batchSize: 5)
    #expect(before == after)
    // Each sequence gets its own prompt, whatever else is in its batch.
    let (alone, _) = try loaded.composition.scores(examples, task: 0, batchSize: 1)
    #expect(absoluteDifference(alone.flatMap { $0 }, after.flatMap { $0 }) < 1e-4)
  }

  @Test("the adapter folder holds the selector, its choice and its parameters, and a resumed run goes on")
  func folder() throws {
    let tiny = try TinyRun()
    let spec = try tiny.spec(adapter: Self.pool, ["training.max_steps=9"] + Self.selectors[0])
    let (whole, _) = try tiny.train(spec)
    let selector = try #require(try Workbench.opened(whole.adapter).folder.selector)
    #expect(selector.plugin == "attention")
    #expect(selector.hyperparameters["train_temperature"] == .bool(true))
    let weights = try SafetensorsFile("\(whole.adapter)/\(AdapterFolder.weightsName)")
    #expect(
      weights.names.sorted() == [
        "encoder.bias", "encoder.weight", "head.tone.classifier.bias", "head.tone.classifier.weight", "keys",
        "pool", "selector.log_temperature",
      ])

    let again = try tiny.spec(
      adapter: Self.pool, output: "again", ["training.max_steps=9"] + Self.selectors[0])
    _ = try tiny.train(again, interruptedAfter: 4)
    let (resumed, _) = try tiny.train(again, resume: true)
    let file = "adapter/\(AdapterFolder.weightsName)"
    #expect(resumed.steps == 9)
    #expect(try tiny.bytes("again/\(file)") == tiny.bytes("out/\(file)"))
  }

  @Test(
    "a pool whose choices are counted goes on with the counts, bit for bit",
    arguments: ["adamw", "adafactor"])
  func resumesCounts(optimizer: String) throws {
    let tiny = try TinyRun()
    let settings = [
      "training.max_steps=9", "training.optimizer=\(optimizer)", "training.learning_rate=0.05",
      "selector.plugin=top-k", "selector.k=1", "selector.frequency_penalty=true",
    ]
    let (_, losses) = try tiny.train(try tiny.spec(adapter: Self.pool, output: "whole", settings))
    let parts = try tiny.spec(adapter: Self.pool, output: "parts", settings)
    let (_, first) = try tiny.train(parts, interruptedAfter: 4)
    let (_, second) = try tiny.train(parts, resume: true)
    #expect(first + second == losses)
    let file = "adapter/\(AdapterFolder.weightsName)"
    #expect(try tiny.bytes("parts/\(file)") == tiny.bytes("whole/\(file)"))
    let counts = try SafetensorsFile(tiny.path("parts/checkpoints/step-9.safetensors")).floats(
      "state/selector/chosen")
    #expect(counts.array.reduce(0, +) == 9 * 8)
    #expect(counts.array.allSatisfy { $0 > 0 })
    let without = try tiny.spec(adapter: Self.pool, output: "without", Array(settings.dropLast()))
    #expect(try tiny.train(without).losses != losses)
  }

  @Test("evaluations record which entries are used, for all examples and by label")
  func statistics() throws {
    let tiny = try TinyRun()
    let settings = ["training.max_steps=9", "selector.plugin=top-k", "selector.k=2"]
    let (result, _) = try tiny.train(try tiny.spec(adapter: Self.pool, settings))
    let file = try JSONValue.read(tiny.path("out/selection.json"))
    let selection = try #require(file["tasks"]?["tone"])
    #expect(file["step"]?.intValue == result.bestStep)
    #expect(result.validation[0].selection?.json.text() == selection.text())
    #expect(selection["examples"] == 24)
    #expect(try selection.list("chosen").compactMap(\.intValue).reduce(0, +) == 24)
    let weights = try selection.list("mean_weight").compactMap(\.doubleValue)
    #expect(weights.count == 3)
    #expect(abs(weights.reduce(0, +) - 1) < 1e-5)
    let labels = ["negative", "positive"].compactMap { selection["labels"]?[$0] }
    #expect(labels.map { $0["examples"]?.intValue } == [12, 12])
    for entry in 0..<3 {
      let parts = try labels.map { try #require(try $0.list("chosen")[entry].intValue) }
      #expect(parts.reduce(0, +) == (try selection.list("chosen")[entry].intValue))
    }
    let lines = try String(decoding: tiny.bytes("out/metrics.jsonl"), as: UTF8.self).split(separator: "\n")
    let evaluations = try lines.map { try JSONValue.parse(String($0)) }.filter { $0["event"] == "evaluation" }
    #expect(!evaluations.isEmpty && evaluations.allSatisfy { $0["selection"]?["examples"] == 24 })

    // The numbers are those of the examples, whatever the batches.
    let loaded = try tiny.load(result)
    var data = loaded.folder.tasks[0].data
    data.train.value = tiny.path("dev.tsv")
    let report = try loaded.evaluate(data, task: 0, batchSize: 5) { _, _ in }
    #expect(report.selection?.all.chosen == result.validation[0].selection?.all.chosen)
    _ = try tiny.train(try tiny.spec(adapter: "prompt-tuning", ["training.max_steps=2"]))
    #expect(throws: (any Error).self) { try JSONValue.read(tiny.path("out/selection.json")) }
  }

  @Test("a checkpoint of another optimiser is refused")
  func otherOptimizer() throws {
    let tiny = try TinyRun(rows: 16)
    let settings = ["training.max_steps=4"] + Self.selectors[0]
    _ = try tiny.train(try tiny.spec(adapter: Self.pool, settings), interruptedAfter: 2)
    let other = try tiny.spec(adapter: Self.pool, settings + ["training.optimizer=adafactor"])
    let error = #expect(throws: TrainingError.self) { try tiny.train(other, resume: true) }
    #expect(
      error?.description.hasSuffix("is of a training with the optimizer 'adamw', not 'adafactor'") == true)
  }

  @Test("entries can be joined only where the selector chooses as many as the adapter expects")
  func joined() throws {
    let tiny = try TinyRun(rows: 8)
    let spec = try tiny.spec(
      adapter: Self.pool, ["adapter.combine=concatenation", "adapter.chosen=2"] + Self.selectors[0])
    let error = #expect(throws: EngineFailure.self) { try tiny.train(spec) }
    #expect(
      error?.reason == """
        'combine: concatenation' joins 2 entries, but the selector gives weight to 3; use \
        'selector: {plugin: top-k, k: 2}'
        """)
  }

  @Test("a run whose adapter uses a selector it does not name is told which lines to add")
  func missing() throws {
    let tiny = try TinyRun(rows: 8)
    let spec = try tiny.spec(adapter: Self.pool)
    let error = #expect(throws: CompositionError.self) { try tiny.train(spec) }
    #expect(
      error?.description == """
        \(tiny.path("run.yaml")):2: the adapter 'prompt-pool' uses a selector for its pool, and the run names \
        none
        """)
    #expect(
      error?.help == """
        add these lines to the run file (there are attention, task, top-k)

        selector:
          plugin: attention

        """)
  }

  @Test("a selector that no adapter asks is refused")
  func unused() throws {
    let tiny = try TinyRun(rows: 8)
    let spec = try tiny.spec(
      adapter: "{plugin: prompt-tuning, virtual_tokens: 2}", ["selector.plugin=attention"])
    let error = #expect(throws: CompositionError.self) { try tiny.train(spec) }
    #expect(
      error?.description.hasSuffix(": the adapter 'prompt-tuning', with these settings, uses no selector")
        == true)
    #expect(error?.help == "remove the 'selector' section")
  }

  @Test("a choice of more entries than there are is the selector's failure")
  func tooMany() throws {
    let tiny = try TinyRun(rows: 8)
    let spec = try tiny.spec(adapter: Self.pool, ["selector.plugin=top-k", "selector.k=4"])
    let error = #expect(throws: EngineFailure.self) { try tiny.train(spec) }
    #expect(error?.component == "selector top-k")
    #expect(error?.reason == "k is 4, but the pool has 3 entries")
  }
}
