import PTune
import PTuneEngine
import PTunePlugins
import PTuneTesting
import Testing

@testable import PTuneComposition
@testable import PTuneRunFile
@testable import PTuneTraining

@Suite("Gradient checks") struct GradientTests {
  @Test(
    "the gradients of the twins are right, in every placement, causal or not",
    arguments: Placement.allCases, [false, true])
  func twins(_ placement: Placement, causal: Bool) throws {
    let model = Model.forTesting()
    try model.useTwinBase(causal: causal)
    try model.useTwinAdapter { try TwinAdapter.prompt(rows: 3, at: placement) }
    try model.useTwinHead(causal ? .mean : .first)
    let batch = PackedBatch.forTesting(marks: placement == .template ? 3 : 0)
    if causal, placement == .end {
      // No text sees a prompt behind it.
      let failure = #expect(throws: EngineFailure.self) { try GradientCheck().run(model, on: batch) }
      #expect(failure?.reason.contains("no token sees what follows it") == true)
      return
    }
    let report = try GradientCheck().run(model, on: batch)
    #expect(report.passes, "\(report)")
    #expect(report.entries.map(\.name) == ["p0", "weight", "bias"])
    #expect(report.entries.allSatisfy { $0.norm > 1e-3 }, "\(report)")
  }

  @Test("the gradients of prefixes of a sequence's own, of both kinds, and of an added loss are right")
  func prefixes() throws {
    let model = Model.forTesting()
    try model.useTwinBase()
    try model.useTwinAdapter {
      try TwinAdapter(parameters: [[6, 16], [2, 16], [2, 16], [3, 16]]) { values, _, injections in
        try injections.hiddenPrefix(values[0], layer: 0, perSequence: true)
        try injections.keyValuePrefix(keys: values[1], values: values[2].dropout(0.5), layer: 0)
        try injections.hiddenPrefix(values[3], layer: 1)
        try injections.addLoss((values[3] * values[3]).mean())
      }
    }
    try model.useTwinHead()
    let report = try GradientCheck().run(model, on: .forTesting())
    #expect(report.passes, "\(report)")
  }

  @Test("a gradient that misses half of what it should hold is found, and named")
  func wrongGradient() throws {
    let model = Model.forTesting()
    try model.useTwinBase()
    try model.useTwinAdapter {
      try TwinAdapter(parameters: [[3, 16]]) { values, _, injections in
        let halves = values[0].affine(scale: 0.5) + values[0].affine(scale: 0.5).stopGradient()
        try injections.input(halves, at: .start)
      }
    }
    try model.useTwinHead()
    let report = try GradientCheck().run(model, on: .forTesting())
    #expect(!report.passes)
    #expect(report.entries.map { $0.worstDifference > report.tolerance } == [true, false, false])
    let lines = report.description.split(separator: "\n")
    try #require(lines.count == 4)
    #expect(lines[0].split(separator: " ") == ["OWNER", "PARAMETER", "SHAPE", "NORM", "DIFFERENCE"])
    #expect(lines[1].hasPrefix("adapter    p0         3·16") && lines[1].hasSuffix("wrong"))
  }

  @Test("a check leaves the model as it found it")
  func restores() throws {
    let model = Model.forTesting()
    try model.useTwinBase()
    try model.useTwinAdapter { try TwinAdapter.prompt(rows: 2, at: .middle) }
    try model.useTwinHead()
    func values() -> [[Float]] { model.parameters.map { p in (0..<p.count).map { p.values[$0] } } }
    let (before, generator) = (values(), model.session.generator)
    _ = try GradientCheck().run(model, on: .forTesting())
    #expect(values() == before)
    #expect(model.session.generator == generator)
    #expect(model.parameters.allSatisfy { p in (0..<p.count).allSatisfy { p.gradients[$0] == 0 } })
  }

  struct Form: Sendable, CustomTestStringConvertible {
    let plugin: String
    let values: [String: HyperparameterValue]
    var choice: ComponentChoice {
      ComponentChoice(plugin: plugin, hyperparameters: values.merging(["virtual_tokens": .int(4)]) { $1 })
    }
    var testDescription: String {
      "\(plugin) \(values.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", "))"
    }
  }

  @Test(
    "the gradients of every adapter are right, in each of its forms",
    arguments: Placement.allCases.map {
      Form(plugin: "prompt-tuning", values: ["placement": .string($0.name)])
    }
      + [
        Form(
          plugin: "prompt-tuning", values: ["initialization": .string("random"), "dropout": .double(0.3)]),
        Form(plugin: "prefix-tuning", values: ["form": .string("hidden")]),
        Form(plugin: "prefix-tuning", values: ["form": .string("key-value")]),
        Form(plugin: "p-tuning-v2", values: ["form": .string("hidden"), "depth": .int(2)]),
        Form(plugin: "p-tuning-v2", values: ["form": .string("key-value"), "depth": .int(1)]),
        Form(plugin: "p-tuning-v2", values: ["form": .string("key-value")]),
        Form(
          plugin: "prefix-tuning",
          values: ["reparameterization": .string("mlp"), "bottleneck": .int(6), "dropout": .double(0.3)]),
        Form(
          plugin: "p-tuning-v2", values: ["form": .string("hidden"), "reparameterization": .string("mlp")]),
        Form(plugin: "p-tuning", values: ["encoder": .string("none"), "placement": .string("after-first")]),
        Form(plugin: "p-tuning", values: ["encoder": .string("mlp"), "placement": .string("middle")]),
        Form(
          plugin: "p-tuning",
          values: [
            "encoder": .string("lstm"), "encoder_hidden_size": .int(6), "encoder_dropout": .double(0.3),
          ]),
        Form(
          plugin: "residual-prompt-tuning",
          values: ["bottleneck": .int(6), "initialization": .string("random"), "deviation": .double(1)]),
        Form(
          plugin: "residual-prompt-tuning",
          values: ["encoder": .string("none"), "placement": .string("after-first")]),
      ])
  func adapters(_ form: Form) throws {
    let marks = form.values["placement"] == .string("template") ? 4 : 0
    let report = try GradientCheck().run(try Workshop.model(form.choice), on: Workshop.batch(marks: marks))
    #expect(report.passes, "\(form.testDescription)\n\(report)")
  }

  @Test(
    "the gradients of what adapters attach to linear layers are right",
    arguments: [
      ComponentChoice(
        plugin: "lora",
        hyperparameters: [
          "r": .int(3), "alpha": .double(2), "targets": .strings(["all-linear"]), "dropout": .double(0.3),
        ]),
      ComponentChoice(plugin: "lora", hyperparameters: ["r": .int(2), "rslora": .bool(true)]),
      ComponentChoice(plugin: "ia3"),
      ComponentChoice(
        plugin: "ia3",
        hyperparameters: [
          "targets": .strings(["all-linear"]), "feed_forward": .strings(["query", "output.dense"]),
        ]),
    ])
  func sites(_ choice: ComponentChoice) throws {
    let model = try Workshop.model(choice)
    // At the start one factor of each delta is zero, and with it the other's gradient.
    var random = SplitMix64(seed: 9)
    for parameter in model.parameters where parameter.owner == "adapter" {
      for index in 0..<parameter.count { parameter.values[index] += Float(random.normal()) * 0.3 }
    }
    let report = try GradientCheck().run(model, on: Workshop.batch)
    #expect(report.passes, "\(report)")
    #expect(report.entries.allSatisfy { $0.norm > 1e-6 || $0.name.contains("key") }, "\(report)")
  }

  struct PoolForm: Sendable, CustomTestStringConvertible {
    let selector: String
    let options: [String: HyperparameterValue]
    let pool: [String: HyperparameterValue]
    var testDescription: String { "\(selector) \(options) \(pool)" }
  }

  // Left to the comparison with PyTorch: what a straight-through gate, or a pull loss under soft weights, trains is
  // not the derivative of the loss; and relu has a kink, which some of its units cross within a difference.
  @Test(
    "the gradients of a pool, of its keys, encoder and selector are right",
    arguments: [
      PoolForm(selector: "attention", options: [:], pool: ["encoder": .string("tanh")]),
      PoolForm(
        selector: "attention", options: ["train_temperature": .bool(true), "scaled": .bool(true)],
        pool: ["keys": .string("learned"), "encoder": .string("identity")]),
      PoolForm(selector: "top-k", options: ["k": .int(2)], pool: ["encoder": .string("identity")]),
      PoolForm(
        selector: "top-k", options: ["k": .int(1)],
        pool: ["keys": .string("learned"), "pull": .double(0.5), "encoder": .string("none")]),
      PoolForm(
        selector: "attention", options: [:], pool: ["at": .string("layers"), "diversity": .double(0.5)]),
      PoolForm(
        selector: "top-k", options: ["k": .int(2)],
        pool: ["combine": .string("concatenation"), "chosen": .int(2), "diversity": .double(0.5)]),
    ])
  func pools(_ form: PoolForm) throws {
    let pool: [String: HyperparameterValue] = [
      "pool_size": .int(3), "virtual_tokens": .int(2), "initialization": .string("random"),
      "deviation": .double(1),
    ]
    let model = try Workshop.model(
      ComponentChoice(plugin: "prompt-pool", hyperparameters: pool.merging(form.pool) { $1 }),
      selector: ComponentChoice(plugin: form.selector, hyperparameters: form.options))
    let report = try GradientCheck().run(model, on: Workshop.batch)
    #expect(report.passes, "\(report)")
  }

  @Test("an adapter in C has right gradients and learns", arguments: ["after-first", "start"])
  func plainC(_ placement: String) throws {
    let plugin = try CAdapter()
    let bench = PluginBench(folders: [plugin.folder, Workshop.built], program: "\(Workshop.built)/ptune")
    let model = try Workshop.model(
      ComponentChoice(
        plugin: "scaled-prompt",
        hyperparameters: ["virtual_tokens": .int(5), "placement": .string(placement)]), from: bench)
    let report = try GradientCheck().run(model, on: Workshop.batch)
    #expect(report.passes, "\(report)")
    #expect(report.entries.map(\.name).prefix(2) == ["prompt", "gates"])

    let optimizer = AdamW(model.parameters.filter { $0.owner == "adapter" }, TrainingOptions())
    let first = try model.loss(Workshop.batch)
    for _ in 0..<30 {
      _ = try model.differentiate(Workshop.batch)
      optimizer.update(learningRate: 0.05)
    }
    let last = try model.loss(Workshop.batch)
    #expect(last < 0.8 * first, "from \(first) to \(last)")
  }
}
