import PTune
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTesting
import PTuneText
import TestSupport
import Testing

@testable import PTuneComposition
@testable import PTuneGeneration

/// Generation against transformers and PEFT, and against passes that keep nothing.
@Suite("Generation") struct GenerationTests {
  /// A checkpoint with more positions than its files have, and other tensors where a fixture has them.
  private final class LongCheckpoint: CheckpointSource {
    let original: ModelCheckpoint
    let positions: Int
    var replaced: [String: FloatTensor] = [:]

    init(_ folder: String, positions: Int) throws {
      original = try ModelCheckpoint(folder: "\(Workbench.fixtures)/\(folder)")
      self.positions = positions
    }

    func configuration(_ key: String) -> ConfigurationValue? {
      ["n_positions", "max_position_embeddings"].contains(key) && original.configuration(key) != nil
        ? .integer(positions) : original.configuration(key)
    }
    var configurationKeys: [String] { original.configurationKeys }
    func hasWeight(_ name: String) -> Bool { original.hasWeight(name) }
    func weight(_ name: String) throws -> CheckpointWeight? {
      guard let tensor = replaced[name] else { return try original.weight(name) }
      return CheckpointWeight(shape: tensor.shape, values: tensor.unsafeValues, owner: tensor)
    }
  }

  private static func tokenizer(_ folder: String) throws -> any Tokenizer {
    try TokenizerLoader.load("\(Workbench.fixtures)/\(folder)")
  }

  /// The model of a case of the fixture, with its adapter.
  private static func source(_ fixture: FixtureCase) throws -> GenerationModel {
    let (json, file) = (fixture.json, try fixture.tensors())
    let checkpoint = try LongCheckpoint(
      try json.text("checkpoint"), positions: try #require(json["positions"]?.intValue))
    for (name, tensor) in try #require(json["replaced"]?.objectValue as JSONObject?) {
      checkpoint.replaced[name] = try file.floats(try #require(tensor.stringValue))
    }
    let factory = Workbench.factory()
    let model = try Workbench.base(
      try #require(checkpoint.original.config.modelType), checkpoint, factory)
    if json["adapter"] != nil {
      let choice = try StepFixture.adapter(json)
      let plugin = try factory.load(.adapter, choice)
      try model.setAdapter(factory.identity(plugin, owner: "adapter")) {
        try factory.adapter(plugin, $0)
      }
      for (parameter, stored) in zip(model.parameters, try json.list("parameters")) {
        let values = try file.floats(try stored.text("value")).array
        try #require(parameter.count == values.count, "\(parameter.name)")
        for (index, value) in values.enumerated() { parameter.values[index] = value }
      }
    }
    return GenerationModel(model, try tokenizer(try json.text("checkpoint")))
  }

  private static func generate(
    _ source: GenerationModel, _ prompts: [[Int32]], _ options: GenerationOptions
  ) throws -> [GeneratedText] {
    var rest = prompts.makeIterator()
    var texts: [GeneratedText] = []
    try Generator(source, options).run(
      { rest.next().map { GenerationPrompt(id: nil, text: nil, tokens: $0, marks: []) } },
      take: { texts.append($0) })
    return texts
  }

  @Test(
    "64 tokens equal transformers' and PEFT's, one text at a time and several of unequal lengths",
    arguments: Workbench.cases("generation"))
  func greedy(_ fixture: FixtureCase) throws {
    let source = try Self.source(fixture)
    let prompts = try fixture.json.list("prompts").map {
      try #require($0.arrayValue).map { Int32(try #require($0.intValue)) }
    }
    let expected = try fixture.json.list("generated").map {
      try #require($0.arrayValue).map { Int32(try #require($0.intValue)) }
    }
    var options = GenerationOptions()
    options.maximumTokens = 64
    for batchSize in [1, 3] {
      options.batchSize = batchSize
      let texts = try Self.generate(source, prompts, options)
      #expect(texts.map(\.tokens) == expected, "batches of \(batchSize)")
      #expect(texts.allSatisfy { $0.finish == .length })
    }
  }

  struct Method: Sendable, CustomTestStringConvertible {
    let adapter: String
    var hyperparameters: [String: HyperparameterValue] = [:]
    var testDescription: String { "\(adapter) \(hyperparameters.values.map { "\($0)" }.sorted())" }
  }

  @Test(
    "scores with kept keys and values equal those of a pass over the whole text, for each method",
    arguments: [
      Method(adapter: "prompt-tuning", hyperparameters: ["placement": .string("after-first")]),
      Method(adapter: "prefix-tuning", hyperparameters: ["form": .string("hidden")]),
      Method(adapter: "prefix-tuning", hyperparameters: ["form": .string("key-value")]),
      Method(adapter: "p-tuning-v2", hyperparameters: ["depth": .int(1), "form": .string("hidden")]),
      Method(adapter: "p-tuning", hyperparameters: ["encoder": .string("lstm")]),
      Method(adapter: "multitask-prompt-tuning", hyperparameters: ["form": .string("factors")]),
      Method(adapter: "residual-prompt-tuning", hyperparameters: ["bottleneck": .int(6)]),
      Method(
        adapter: "lora", hyperparameters: ["targets": .strings(["all-linear"]), "alpha": .double(0.3)]),
      Method(adapter: "ia3"),
    ], ["tiny-gpt2", "tiny-llama"])
  func methods(_ method: Method, _ checkpoint: String) throws {
    var hyperparameters = method.hyperparameters
    if !["lora", "ia3"].contains(method.adapter) { hyperparameters["virtual_tokens"] = .int(4) }
    let composition = try Workbench.compose(
      checkpoint: checkpoint,
      adapter: ComponentChoice(plugin: method.adapter, hyperparameters: hyperparameters),
      head: ComponentChoice(plugin: "causal-lm"))
    StepwiseGeneration.randomise(composition.model)
    try StepwiseGeneration.compare(composition.model)
  }

  @Test("a pool chooses by the prompt, of each text for itself", arguments: ["input", "layers"])
  func pool(_ site: String) throws {
    let composition = try Workbench.compose(
      checkpoint: "tiny-llama",
      adapter: ComponentChoice(
        plugin: "prompt-pool",
        hyperparameters: ["at": .string(site), "pool_size": .int(4), "virtual_tokens": .int(2)]),
      selector: ComponentChoice(plugin: "attention"), head: ComponentChoice(plugin: "causal-lm"))
    StepwiseGeneration.randomise(composition.model)
    let source = GenerationModel(composition.model, composition.tokenizer)
    let prompts: [[Int32]] = [[9, 40, 3, 77], [5], [120, 8], [61, 61, 61]]
    var options = GenerationOptions()
    options.maximumTokens = 12
    let together = try Self.generate(source, prompts, options).map(\.tokens)
    options.batchSize = 1
    #expect(try Self.generate(source, prompts, options).map(\.tokens) == together)
    let decoding = try Decoding(composition.model)
    let (_, scores) = try decoding.begin(prompts.map { .init(tokens: $0) })
    for (tokens, scores) in zip(prompts, scores) {
      let whole = try composition.model.vocabularyScores(
        PackedBatch([.init(tokens: tokens)], training: false))
      #expect(absoluteDifference(scores, Array(whole.suffix(scores.count))) < 1e-5)
    }
  }

  @Test("what a draw may give has transformers' probabilities", arguments: Workbench.cases("sampling"))
  func probabilities(_ fixture: FixtureCase) throws {
    let (json, file) = (fixture.json, try fixture.tensors())
    var options = SamplingOptions()
    let settings = try #require(json["settings"])
    options.temperature = settings["temperature"]?.doubleValue ?? 1
    options.topK = settings["top_k"]?.intValue ?? 0
    options.topP = settings["top_p"]?.doubleValue ?? 1
    options.minP = settings["min_p"]?.doubleValue ?? 0
    options.repetitionPenalty = settings["repetition_penalty"]?.doubleValue ?? 1
    let logits = try file.floats(try json.text("logits")).array
    let expected = try file.floats(try json.text("probabilities")).array
    let kept = TokenSampler(options, text: 0, tokens: try json.integers("context")).candidates(logits)
    let weights = TokenSampler.weights(kept)
    var probabilities = [Float](repeating: 0, count: logits.count)
    for (candidate, weight) in zip(kept, weights) {
      probabilities[Int(candidate.token)] = Float(weight / weights.reduce(0, +))
    }
    #expect(kept.map { Int($0.token) } == expected.indices.filter { expected[$0] > 0 })
    #expect(absoluteDifference(probabilities, expected) < 1e-6)
  }

  @Test("draws follow the probabilities, and a seed gives the same ones")
  func draws() throws {
    let scores: [Float] = [0, 1, 2, -1]
    var options = SamplingOptions()
    options.temperature = 1
    func drawn(_ count: Int, text: Int = 0) throws -> [Int32] {
      var sampler = TokenSampler(options, text: text, tokens: [])
      return try (0..<count).map { _ in
        let token = sampler.next(scores)
        return try #require(token)
      }
    }
    let tokens = try drawn(20_000)
    let weights = TokenSampler.weights(TokenSampler(options, text: 0, tokens: []).candidates(scores))
    for (token, weight) in weights.enumerated() {
      let share = Double(tokens.count { $0 == token }) / Double(tokens.count)
      #expect(abs(share - weight / weights.reduce(0, +)) < 0.01)
    }
    #expect(try drawn(50) == drawn(50))
    #expect(try drawn(50) != drawn(50, text: 1))
    let first = try drawn(50)
    options.seed = 1
    #expect(try drawn(50) != first)
    var sampler = TokenSampler(SamplingOptions(), text: 0, tokens: [])
    #expect(sampler.next([1, 3, 3]) == 1)
    #expect(sampler.next([.nan, .nan]) == nil)
  }

  @Test("a stop string is found wherever pieces meet, and cut off with what follows")
  func stops() {
    func cut(_ text: String, _ stops: [String], by size: Int) -> String {
      var scanner = StopStrings(stops)
      var written = ""
      let scalars = Array(text.unicodeScalars)
      for begin in stride(from: 0, to: scalars.count, by: size) {
        var piece = String.UnicodeScalarView()
        piece.append(contentsOf: scalars[begin..<min(begin + size, scalars.count)])
        let (text, isStopped) = scanner.append(String(piece))
        written += text
        if isStopped { return written }
      }
      return written + scanner.finish()
    }
    for size in 1...8 {
      #expect(cut("one two\n\nthree", ["\n\n"], by: size) == "one two")
      #expect(cut("one two\nthree", ["\n\n"], by: size) == "one two\nthree")
      #expect(cut("xabcd", ["abcd", "bc"], by: size) == "xa")
      #expect(cut("aab", ["ab", "aab"], by: size) == "")
      #expect(cut("ひらがな。次", ["。"], by: size) == "ひらがな")
      #expect(cut("text", [], by: size) == "text")
    }
  }

  @Test("a drawn text depends on its place and the seed, not on the batch, and texts come in order")
  func batches() throws {
    let source = GenerationModel(
      try Workbench.base(checkpoint: "\(Workbench.fixtures)/tiny-llama"), try Self.tokenizer("tiny-llama"))
    let prompts: [[Int32]] = [[9, 40, 3], [9, 40, 3], [5], [120, 8], [61, 61], [7, 7, 7, 7]]
    var options = GenerationOptions()
    options.sampling.temperature = 1
    // With a stop string the texts end at different steps.
    options.stops = ["e", "s"]
    options.maximumTokens = 30
    options.batchSize = 1
    let alone = try Self.generate(source, prompts, options)
    options.batchSize = 4
    #expect(try Self.generate(source, prompts, options) == alone)
    #expect(alone.map(\.prompt.tokens) == prompts)
    #expect(alone[0].tokens != alone[1].tokens)
    #expect(alone.contains { $0.finish == .stop })
    for text in alone where text.finish == .stop {
      #expect(!text.text.contains("e") && !text.text.contains("s"))
    }
  }

  @Test("a text ends at the model's last position")
  func positions() throws {
    let source = GenerationModel(
      try Workbench.base(checkpoint: "\(Workbench.fixtures)/tiny-gpt2"), try Self.tokenizer("tiny-gpt2"))
    let text = try Self.generate(source, [Array(repeating: 9, count: 60)], GenerationOptions())[0]
    #expect(text.finish == .positions)
    #expect(text.tokens.count == 5)
  }
}
