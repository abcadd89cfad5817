import PTune
import PTuneEngine
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneComposition

@Suite("Parameter counts") struct ParameterCountTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let adapter: String
    let hyperparameters: [String: HyperparameterValue]
    let layers: Int
    let count: Int
    var selector: String?
    var tasks: [String] = []

    var testDescription: String { "\(adapter) with \(count) numbers" }
  }

  private static let three = ["tone", "topic", "names"]

  @Test(
    "methods train as many numbers as their papers count, with a hidden size of 768",
    arguments: [
      Case(
        adapter: "prefix-tuning", hyperparameters: ["virtual_tokens": .int(10), "form": .string("hidden")],
        layers: 6,
        count: 46_080),
      Case(
        adapter: "prefix-tuning", hyperparameters: ["virtual_tokens": .int(5), "form": .string("hidden")],
        layers: 6,
        count: 23_040),
      Case(
        adapter: "prefix-tuning",
        hyperparameters: ["virtual_tokens": .int(20), "form": .string("key-value")],
        layers: 12, count: 368_640),
      Case(
        adapter: "prompt-tuning",
        hyperparameters: ["virtual_tokens": .int(5), "initialization": .string("random")],
        layers: 6, count: 3_840),
      Case(
        adapter: "prompt-tuning",
        hyperparameters: ["virtual_tokens": .int(20), "initialization": .string("random")],
        layers: 12, count: 15_360),
      Case(
        adapter: "prefix-tuning",
        hyperparameters: ["virtual_tokens": .int(20), "reparameterization": .string("mlp")], layers: 12,
        count: 14_780_160),
      Case(
        adapter: "p-tuning", hyperparameters: ["virtual_tokens": .int(20), "encoder": .string("none")],
        layers: 12, count: 15_360),
      Case(
        adapter: "p-tuning", hyperparameters: ["virtual_tokens": .int(20), "encoder": .string("mlp")],
        layers: 12, count: 1_787_136),
      Case(
        adapter: "p-tuning", hyperparameters: ["virtual_tokens": .int(20), "encoder": .string("lstm")],
        layers: 12, count: 27_174_144),
      Case(
        adapter: "p-tuning-v2", hyperparameters: ["virtual_tokens": .int(20), "form": .string("hidden")],
        layers: 12,
        count: 184_320),
      Case(
        adapter: "p-tuning-v2",
        hyperparameters: ["virtual_tokens": .int(20), "form": .string("hidden"), "depth": .int(3)],
        layers: 12,
        count: 46_080),
      Case(
        adapter: "prompt-pool",
        hyperparameters: [
          "pool_size": .int(10), "virtual_tokens": .int(20), "keys": .string("learned"),
          "encoder": .string("none"),
          "initialization": .string("random"),
        ], layers: 12, count: 161_280),
      // K·l·L·H
      Case(
        adapter: "prompt-pool",
        hyperparameters: [
          "virtual_tokens": .int(20), "at": .string("layers"), "encoder": .string("none"),
          "initialization": .string("random"),
        ], layers: 12, count: 1_843_200),
      // MPT: l·H + T·r·(l + H) = 15,360 + 3·788, and with r = 4.
      Case(
        adapter: "multitask-prompt-tuning",
        hyperparameters: ["form": .string("factors"), "initialization": .string("random")],
        layers: 12, count: 17_724, tasks: three),
      Case(
        adapter: "multitask-prompt-tuning",
        hyperparameters: [
          "form": .string("factors"), "initialization": .string("random"), "rank": .int(4),
        ], layers: 12, count: 24_816, tasks: three),
      // K·l·H = 153,600, and what the selector has, T·K·(H + 1) = 23,070.
      Case(
        adapter: "multitask-prompt-tuning",
        hyperparameters: ["encoder": .string("none"), "initialization": .string("random")],
        layers: 12, count: 176_670, selector: "task", tasks: three),
      // K·l·H + T·(m·l·H + H) + H² + H = 153,600 + 3·31,488 + 590,592
      Case(
        adapter: "multitask-prompt-tuning",
        hyperparameters: [
          "private_entries": .int(2), "task_embedding": .bool(true), "initialization": .string("random"),
        ], layers: 12, count: 838_656, selector: "attention", tasks: three),
    ])
  func counts(_ expected: Case) throws {
    let factory = Workbench.factory()
    let choice = ComponentChoice(plugin: expected.adapter, hyperparameters: expected.hyperparameters)
    let component = try factory.load(.adapter, choice)
    let model = Model(session: Session(threads: ThreadPool(count: 1), seed: 1))
    try model.setBase(
      ComponentIdentity(component: "a base of facts", owner: "base"), checkpoint: NoCheckpoint(),
      tokenize: { _ in [] }, frequentTokens: { _ in [] }
    ) { _ in FactsOnly(layers: expected.layers) }
    model.setTasks(expected.tasks.map { TaskFacts(name: $0) })
    try model.setAdapter(factory.identity(component, owner: "adapter")) {
      try factory.adapter(component, $0)
    }
    if let selector = expected.selector.map({ ComponentChoice(plugin: $0) }) {
      let plugin = try factory.load(.selector, selector)
      try model.setSelector(factory.identity(plugin, owner: "selector")) {
        try factory.selector(plugin, $0)
      }
    }
    #expect(model.trainableCount == expected.count)
  }
}

/// A base model that has facts and computes nothing.
private final class FactsOnly: BaseModel {
  let facts: BaseFacts
  let wordTable = Tensor(handle: nil)

  init(layers: Int) {
    facts = BaseFacts(
      hiddenSize: 768, layers: layers, keyValueSize: 768, attentionHeads: 12, vocabularySize: 30_522,
      positions: 512,
      causal: false)
  }

  func forward(_ forward: Forward) throws -> Tensor { wordTable }
}

private final class NoCheckpoint: CheckpointSource {
  func configuration(_ key: String) -> ConfigurationValue? { nil }
  var configurationKeys: [String] { [] }
  func hasWeight(_ name: String) -> Bool { false }
  func weight(_ name: String) throws -> CheckpointWeight? { nil }
}
