import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTesting
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile
@testable import PTuneTraining

/// Several adapters that work together in one run.
@Suite("Composed adapters") struct AdapterCompositionTests {
  private static func choice(
    _ plugin: String, _ hyperparameters: [String: HyperparameterValue] = [:]
  ) -> ComponentChoice {
    ComponentChoice(plugin: plugin, hyperparameters: hyperparameters)
  }

  private static let head = choice(
    "sequence-classification", ["labels": .strings(["a", "b"]), "dropout": .double(0)])
  private static let prefix = choice("prefix-tuning", ["virtual_tokens": .int(3), "dropout": .double(0)])
  private static let lora = choice("lora", ["r": .int(2), "alpha": .double(1)])
  private static let prompt = choice(
    "prompt-tuning", ["virtual_tokens": .int(2), "initialization": .string("random")])
  private static let residual = choice(
    "residual-prompt-tuning",
    ["virtual_tokens": .int(3), "encoder": .string("none"), "initialization": .string("random")])
  private static let batch = PackedBatch.forTesting(lengths: [6, 2, 9, 1], vocabulary: 200, training: false)

  private static func compose(
    _ adapters: [ComponentChoice], without: Set<String> = [], selector: ComponentChoice? = nil
  ) throws -> Model {
    try Workbench.compose(
      checkpoint: "tiny-bert", adapters: adapters, without: without,
      selector: selector, head: head
    ).model
  }

  /// Parameters by owner and name, as nobody would start them.
  private static func randomise(_ model: Model, except names: [String] = []) {
    for parameter in model.parameters where !names.contains(where: parameter.name.contains) {
      // A name's values do not depend on what other parameters there are.
      var random = SplitMix64(seed: parameter.name.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
      for index in 0..<parameter.count { parameter.values[index] = Float(random.normal()) * 0.5 }
    }
  }

  private static func scores(_ model: Model) throws -> [[Float]] { try model.scores(batch).perExample }

  @Test("beside adapters that change nothing yet, each computes what it does alone, in either order")
  func neutral() throws {
    func scores(_ adapters: [ComponentChoice], without: Set<String> = []) throws -> [[Float]] {
      let model = try Self.compose(adapters, without: without)
      // As training starts them, these change nothing.
      Self.randomise(model, except: ["lora_B", "ia3_l"])
      return try Self.scores(model)
    }
    let ia3 = Self.choice("ia3")
    let alone = try scores([Self.prefix])
    #expect(try scores([Self.prefix, Self.lora]) == alone)
    #expect(try scores([Self.lora, Self.prefix]) == alone)
    #expect(try scores([ia3, Self.prefix, Self.lora]) == alone)
    #expect(try scores([Self.prompt, Self.lora, ia3]) == scores([Self.prompt]))
    #expect(try scores([Self.prefix]) != scores([Self.prefix, Self.prompt]))
  }

  @Test("one that is switched off is as if it were not there")
  func without() throws {
    func scores(_ adapters: [ComponentChoice], without: Set<String> = []) throws -> [[Float]] {
      let model = try Self.compose(adapters, without: without)
      Self.randomise(model)
      return try Self.scores(model)
    }
    let both = [Self.prompt, Self.lora]
    #expect(try scores(both, without: ["lora"]) == scores([Self.prompt]))
    #expect(try scores(both, without: ["prompt-tuning"]) == scores([Self.lora]))
    #expect(try scores(both) != scores([Self.lora]))
    let none = try Self.compose(both, without: ["lora", "prompt-tuning"])
    #expect(none.adapterPositions == 0)
  }

  @Test("input prompts stand in the order in which the run names their adapters")
  func order() throws {
    let both = try Self.compose([Self.prompt, Self.residual])
    Self.randomise(both)
    let one = try Self.compose([
      Self.choice("prompt-tuning", ["virtual_tokens": .int(5), "initialization": .string("random")])
    ])
    Self.randomise(one)
    let rows = both.parameters.filter { $0.name == "prompt_embeddings" }
    try #require(rows.count == 2)
    var next = 0
    for part in rows {
      for index in 0..<part.count { one.parameters[0].values[next + index] = part.values[index] }
      next += part.count
    }
    #expect(both.adapterPositions == 5)
    #expect(try Self.scores(both) == Self.scores(one))
  }

  @Test("what two adapters want otherwise is an error that names both")
  func conflicts() throws {
    let model = try Self.compose([Self.prefix, Self.choice("p-tuning-v2", ["virtual_tokens": .int(2)])])
    let failure = #expect(throws: EngineFailure.self) { try Self.scores(model) }
    #expect(failure?.component == "adapter p-tuning-v2")
    #expect(
      failure?.reason.contains(
        "it puts the text's first token at position 2, and adapter prefix-tuning puts it at 3; give one of them "
          + "'shift_positions: false'") == true)
    let still = Self.choice(
      "p-tuning-v2", ["virtual_tokens": .int(2), "shift_positions": .bool(false)])
    _ = try Self.scores(try Self.compose([Self.prefix, still]))
    _ = try Self.scores(try Self.compose([still, Self.prefix]))

    let pool = Self.choice("prompt-pool", ["pool_size": .int(3), "virtual_tokens": .int(2)])
    let tasks = Self.choice("multitask-prompt-tuning", ["pool_size": .int(3), "virtual_tokens": .int(2)])
    let second = #expect(throws: EngineFailure.self) {
      try Self.compose([pool, tasks], selector: Self.choice("attention"))
    }
    #expect(second?.component == "adapter multitask-prompt-tuning")
    #expect(
      second?.reason.contains("the run's selector is already used for the pool of adapter prompt-pool")
        == true)
    _ = try Self.scores(try Self.compose([Self.lora, pool], selector: Self.choice("attention")))
    let unselected = #expect(throws: CompositionError.self) { try Self.compose([Self.lora, pool]) }
    #expect(unselected?.description.contains("the adapter 'prompt-pool' uses a selector") == true)
  }

  @Test(
    "gradients are right",
    arguments: [[prefix, lora], [lora, choice("ia3"), prompt], [prompt, residual, lora]])
  func gradients(_ adapters: [ComponentChoice]) throws {
    let model = try Self.compose(adapters)
    Self.randomise(model)
    let report = try GradientCheck().run(
      model, on: .forTesting(lengths: [6, 2, 9, 1], vocabulary: 200))
    #expect(report.passes, "\(report)")
    #expect(Set(report.entries.map(\.owner)).count == adapters.count + 1)
  }

  @Test(
    "generation with kept keys and values equals passes over the whole text",
    arguments: ["tiny-gpt2", "tiny-llama"])
  func generation(_ checkpoint: String) throws {
    let model = try Workbench.compose(
      checkpoint: checkpoint, adapters: [Self.prompt, Self.lora, Self.choice("ia3")],
      head: Self.choice("causal-lm")
    ).model
    StepwiseGeneration.randomise(model)
    try StepwiseGeneration.compare(model)
  }

  private static let both = "\nadapters: [{plugin: prefix-tuning, virtual_tokens: 4}, {plugin: lora, r: 2}]"

  @Test("an interrupted training that is resumed ends with the same bytes")
  func resumes() throws {
    let tiny = try TinyRun()
    let (whole, losses) = try tiny.train(try tiny.spec(adapter: Self.both))
    let again = try tiny.spec(adapter: Self.both, output: "again")
    let (_, begun) = try tiny.train(again, interruptedAfter: 10)
    let (resumed, rest) = try tiny.train(again, resume: true)
    #expect(begun + rest == losses)
    #expect(resumed.steps == whole.steps)
    for file in ["adapter_model.safetensors", "adapter_config.json"] {
      #expect(try tiny.bytes("out/adapter/\(file)") == tiny.bytes("again/adapter/\(file)"))
    }
  }

  @Test("one folder holds all of them, each with its parameters, and they load one by one")
  func folder() throws {
    let tiny = try TinyRun()
    let (result, _) = try tiny.train(try tiny.spec(adapter: Self.both, ["training.max_steps=10"]))
    let file = try SafetensorsFile("\(result.adapter)/adapter_model.safetensors")
    #expect(file.names.contains("prompt_embeddings"))
    #expect(file.names.contains("adapter.lora.encoder.layer.0.attention.self.query.lora_A.weight"))
    let folder = try Workbench.opened(result.adapter).folder
    #expect(folder.adapters.map(\.plugin) == ["prefix-tuning", "lora"])
    #expect(folder.adapters[1].hyperparameters["r"] == .int(2))

    func run(_ without: [String]) throws -> AdapterRun {
      try AdapterRun(
        result.adapter, baseModel: nil, without: without, threads: 2, registry: Workbench.factory().registry
      ) { _, _ in }
    }
    let all = try ["", "lora", "prefix-tuning", "both"].map { without in
      let names = without == "both" ? ["lora", "prefix-tuning"] : without.isEmpty ? [] : [without]
      return try Self.scores(try run(names).composition.model)
    }
    for (index, scores) in all.enumerated() {
      for other in all[..<index] { #expect(scores != other) }
    }
    let unknown = #expect(throws: AdapterError.self) { try run(["ia3"]) }
    #expect(
      unknown?.description == "\(result.adapter) has no adapter 'ia3'; it has prefix-tuning, lora")
    let exported = #expect(throws: PEFTError.self) {
      try run([]).exportPEFT(task: nil, to: tiny.path("peft"))
    }
    #expect(
      exported?.description.contains("it has 'prefix-tuning' and 'lora' together") == true)
  }

  @Test("training goes on from all of them, and refuses others")
  func starts() throws {
    let tiny = try TinyRun()
    let (first, _) = try tiny.train(try tiny.spec(adapter: Self.both, ["training.max_steps=6"]))
    let start = "start_from=\(first.adapter)"
    let names = "\nadapters: [prefix-tuning, lora]"
    let spec = try tiny.spec(adapter: names, output: "second", [start, "training.max_steps=6"])
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    let loaded = try tiny.load(first)
    #expect(try Self.scores(run.composition.model) == Self.scores(loaded.composition.model))
    #expect(run.composition.adapters[1].hyperparameters["r"] == .int(2))
    for other in ["prefix-tuning", "\nadapters: [prefix-tuning, ia3]", "\nadapters: [lora, prefix-tuning]"] {
      let error = #expect(throws: TrainingError.self) {
        try TrainingRun(
          try tiny.spec(adapter: other, output: "third", [start]), registry: Workbench.factory().registry
        ) { _, _ in }
      }
      #expect(error?.description.contains(first.adapter) == true)
    }
  }

  @Test("each trains at the learning rate that it recommends, unless the run gives one")
  func learningRates() throws {
    func steps(_ settings: [String]) throws -> (prefix: Float, lora: Float, head: Float) {
      let tiny = try TinyRun()
      let spec = try tiny.spec(
        adapter: Self.both,
        [
          "training.max_steps=1", "training.warmup_steps=0", "training.schedule=constant",
          "training.weight_decay=0",
        ] + settings)
      let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
      let before = run.composition.model.parameters.map { p in (0..<p.count).map { p.values[$0] } }
      _ = try Trainer(run) { _ in }.train(resume: false) { false }
      var largest: [String: Float] = [:]
      for (parameter, old) in zip(run.composition.model.parameters, before) {
        let moved = (0..<parameter.count).map { abs(parameter.values[$0] - old[$0]) }.max() ?? 0
        largest[parameter.owner] = max(largest[parameter.owner] ?? 0, moved)
      }
      return (
        try #require(largest["adapter"]), try #require(largest["adapter.lora"]),
        try #require(largest["head.tone"])
      )
    }
    // AdamW's first step is as long as the learning rate.
    func near(_ a: Float, _ b: Float) -> Bool { abs(a - b) < 0.05 * b }
    let own = try steps([])
    #expect(near(own.prefix, 0.03) && near(own.head, 0.03), "\(own)")
    #expect(near(own.lora, 0.003), "\(own)")
    let given = try steps(["training.learning_rate=0.01"])
    #expect(near(given.prefix, 0.01) && near(given.lora, 0.01) && near(given.head, 0.01), "\(given)")
  }

  @Test(
    "a list that cannot be is refused with its place",
    arguments: [
      ("adapters: []", "'adapters' should be a list of adapters but is an empty list"),
      ("adapters: lora", "'adapters' should be a list of adapters but is the text 'lora'"),
      ("adapter: lora\nadapters: [lora]", "give either 'adapter' or 'adapters', not both"),
      ("adapters: [lora, {plugin: lora}]", "'adapters' names 'lora' twice; a run has one of each method"),
    ])
  func refusedLists(_ text: String, _ reason: String) throws {
    let error = #expect(throws: RunFileError.self) {
      _ = try RunSpec.parse(
        "base: {model: m}\n\(text)\ntasks: [{head: x, data: {train: t}}]", file: "run.yaml")
    }
    #expect(error?.description.hasPrefix("run.yaml:") == true)
    #expect(error?.description.hasSuffix(reason) == true, "\(error?.description ?? "")")
  }
}
