import PTuneEngine
import PTuneFormats
import PTunePlugins
import Testing

@testable import PTuneTraining

@Suite("Prompt pools") struct PromptPoolTests {
  private static let pool = "{plugin: prompt-pool, pool_size: 3, virtual_tokens: 2, keys: learned, pull: 0.1}"

  private static let selectors = [
    ["selector.plugin=attention", "selector.train_temperature=true"],
    ["selector.plugin=top-k", "selector.k=2"],
    ["selector.plugin=top-k", "selector.k=2", "selector.weights=straight-through"],
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

  @Test("a run whose adapter asks a selector it does not name is told which lines to add")
  func missing() throws {
    let tiny = try TinyRun(rows: 8)
    let spec = try tiny.spec(adapter: Self.pool)
    let error = #expect(throws: TrainingError.self) { try tiny.train(spec) }
    #expect(
      error?.description == """
        \(tiny.path("run.yaml")):2: the adapter 'prompt-pool' asks a selector for weights over its pool, and the \
        run names none
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
    let error = #expect(throws: TrainingError.self) { try tiny.train(spec) }
    #expect(
      error?.description.hasSuffix(": the adapter 'prompt-tuning', as it is set, asks no selector") == true)
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
