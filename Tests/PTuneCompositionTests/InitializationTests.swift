import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTesting
import TestSupport
import Testing

@testable import PTuneComposition

@Suite("Initialisation") struct InitializationTests {
  private static let head = ComponentChoice(
    plugin: "sequence-classification", hyperparameters: ["labels": .strings(["good film", "dull"])])

  @Test(
    "prompts at layers start as what transformers' layers are given for a text",
    arguments: Workbench.cases("hard-prompts"))
  func text(_ fixture: FixtureCase) throws {
    let composition = try Workbench.compose(
      checkpoint: try fixture.json.text("checkpoint"), adapter: try StepFixture.adapter(fixture.json),
      head: Self.head)
    let expected = try fixture.tensors().floats(try fixture.json.text("rows"))
    let parameter = try #require(composition.model.parameters.first { $0.name == "prompt_embeddings" })
    #expect(parameter.shape == expected.shape)
    let values = UnsafeBufferPointer(start: parameter.values, count: parameter.count)
    #expect(absoluteDifference(values, expected.array) < 1e-5)
  }

  @Test(
    "in a causal model a prefix of a hard prompt's keys and values, or rows, acts on the text as that does",
    arguments: ["hidden", "key-value"])
  func identity(_ form: String) throws {
    let (prompt, text): ([Int32], [Int32]) = ([7, 3, 21, 3], [5, 9, 1, 30, 2])
    let letters = String(decoding: prompt.map { UInt8($0 + 40) }, as: UTF8.self)
    let model = Model.forTesting()
    try model.useTwinBase(causal: true)
    try PluginBench(folders: [Workbench.built], program: "\(Workbench.built)/ptune").useAdapter(
      ComponentChoice(
        plugin: "prefix-tuning",
        hyperparameters: [
          "virtual_tokens": .int(prompt.count), "form": .string(form), "initialization": .string("text"),
          "initial_text": .string(letters),
        ]), in: model)
    let soft = try model.hiddenRows(PackedBatch([.init(tokens: text)], training: false)).values

    let plain = Model.forTesting()
    try plain.useTwinBase(causal: true)
    let hard = try plain.hiddenRows(PackedBatch([.init(tokens: prompt + text)], training: false)).values
    #expect(absoluteDifference(soft, hard.suffix(soft.count)) < 1e-5)
  }

  @Test(
    "a text cannot start the rows that an MLP makes",
    arguments: ["text", "sampled-vocabulary"])
  func mlp(_ initialization: String) throws {
    let choice = ComponentChoice(
      plugin: "prefix-tuning",
      hyperparameters: [
        "reparameterization": .string("mlp"), "initialization": .string(initialization),
        "initial_text": .string("good film"),
      ])
    let error = #expect(throws: EngineFailure.self) {
      try Workbench.compose(checkpoint: "tiny-bert", adapter: choice, head: Self.head)
    }
    #expect(error?.reason.contains("an MLP makes the rows") == true)
  }

  @Test("class labels start a prompt with a row each, the mean of their tokens, then sampled words")
  func classLabels() throws {
    let choice = ComponentChoice(
      plugin: "prompt-tuning",
      hyperparameters: ["virtual_tokens": .int(4), "initialization": .string("class-labels")])
    let composition = try Workbench.compose(checkpoint: "tiny-bert", adapter: choice, head: Self.head)
    let prompt = try #require(composition.model.parameters.first)
    let file = try SafetensorsFile("\(Workbench.fixtures)/tiny-bert/model.safetensors")
    let table = try file.floats("embeddings.word_embeddings.weight").array
    func row(_ token: Int32) -> [Float] { Array(table[Int(token) * 32..<Int(token + 1) * 32]) }
    func started(_ index: Int) -> [Float] { (0..<32).map { prompt.values[index * 32 + $0] } }
    let ids = composition.tokenizer.pieces("good film dull").map(\.id)
    #expect(absoluteDifference(started(0), zip(row(ids[0]), row(ids[1])).map { ($0 + $1) / 2 }) < 1e-6)
    #expect(started(1) == row(ids[2]))
    for index in 2..<4 { #expect((0..<200).contains { row($0) == started(index) }) }
  }

  @Test("class labels are refused where no task has any")
  func noLabels() throws {
    let choice = ComponentChoice(
      plugin: "prompt-tuning", hyperparameters: ["initialization": .string("class-labels")])
    let error = #expect(throws: EngineFailure.self) {
      try Workbench.compose(
        checkpoint: "tiny-bert", adapter: choice, head: ComponentChoice(plugin: "regression"))
    }
    #expect(error?.reason == "no task of this run has labels to start from; use another 'initialization'")
  }

  @Test(
    "the recommended learning rate depends on the hyperparameters",
    arguments: [
      ("prefix-tuning", [:], 3e-2), ("prefix-tuning", ["reparameterization": "mlp"], 1e-3),
      ("p-tuning", [:], 1e-3), ("p-tuning", ["encoder": "none"], 3e-2), ("prompt-tuning", [:], 3e-2),
    ] as [(String, [String: String], Double)])
  func learningRates(_ plugin: String, _ values: [String: String], _ rate: Double) throws {
    let choice = ComponentChoice(plugin: plugin, hyperparameters: values.mapValues { .string($0) })
    let composition = try Workbench.compose(checkpoint: "tiny-bert", adapter: choice, head: Self.head)
    #expect(composition.recommendedLearningRate == rate)
  }
}
