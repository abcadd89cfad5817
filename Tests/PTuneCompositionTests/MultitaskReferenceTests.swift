import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText
import TestSupport
import Testing

@testable import PTuneComposition

@Suite("Several tasks against PyTorch")
struct MultitaskReferenceTests {
  @Test(
    "the loss, scores and gradients of a mixed batch equal PyTorch's", arguments: Workbench.cases("multitask")
  )
  func steps(_ fixture: FixtureCase) throws {
    let json = fixture.json
    let file = try fixture.tensors()
    let tasks = try json.list("tasks")
    let composition = try compose(json, tasks)
    let weights = try tasks.map { try #require($0["weight"]?.doubleValue) }
    composition.model.setLossWeights(weights, learned: json["learned_weights"] == true)

    let stored = try json.list("parameters")
    try #require(composition.model.parameters.count == stored.count)
    func described(_ parameter: TrainableParameter) throws -> JSONValue {
      try #require(
        stored.first {
          $0["owner"]?.stringValue == parameter.owner && $0["name"]?.stringValue == parameter.name
        },
        "\(parameter.owner) \(parameter.name)")
    }
    for parameter in composition.model.parameters {
      let values = try file.floats(try described(parameter).text("value")).array
      try #require(values.count == parameter.count, "\(parameter.name)")
      for (index, value) in values.enumerated() { parameter.values[index] = value }
    }
    let sequences = try sequences(try #require(json["batch"]))
    let loss = try composition.model.differentiate(PackedBatch(sequences, training: true))
    #expect(relativeDifference([loss], try file.floats(try json.text("loss")).array) < 1e-5, "loss")
    for (task, name) in try json.list("logits").enumerated() {
      let own = PackedBatch(sequences.filter { $0.task == Int32(task) }, training: false)
      let scores = try composition.model.scores(own).perExample.flatMap { $0 }
      #expect(
        relativeDifference(scores, try file.floats(try #require(name.stringValue)).array) < 1e-5, "scores")
    }
    for parameter in composition.model.parameters {
      let expected = try file.floats(try described(parameter).text("gradient")).array
      let gradient = UnsafeBufferPointer(start: parameter.gradients, count: parameter.count)
      #expect(
        relativeDifference(gradient, expected) < 1e-4, "gradient of \(parameter.owner).\(parameter.name)")
    }
  }

  @Test("a batch whose tasks' sequences do not stand together is refused")
  func scattered() throws {
    let json = try #require(Workbench.cases("multitask").first).json
    let composition = try compose(json, try json.list("tasks"))
    var sequences = try sequences(try #require(json["batch"]))
    sequences.swapAt(0, 4)
    #expect(throws: EngineFailure.self) {
      try composition.model.loss(PackedBatch(sequences, training: false))
    }
  }

  private func compose(_ json: JSONValue, _ tasks: [JSONValue]) throws -> Composition {
    var hyperparameters = try StepFixture.hyperparameters(json)
    hyperparameters["dropout"] = .double(0)
    return try Workbench.compose(
      checkpoint: try json.text("checkpoint"),
      adapter: ComponentChoice(plugin: "multitask-prompt-tuning", hyperparameters: hyperparameters),
      selector: try StepFixture.selector(json),
      heads: try tasks.map {
        let labels = (0..<(try #require($0["labels"]?.intValue))).map { "label \($0)" }
        return (
          try $0.text("name"),
          ComponentChoice(
            plugin: "sequence-classification",
            hyperparameters: [
              "labels": .strings(labels), "pooling": .string(try $0.text("pooling")), "dropout": .double(0),
            ])
        )
      })
  }

  private func sequences(_ batch: JSONValue) throws -> [PackedBatch.Sequence] {
    let labels = try batch.integers("labels")
    let tasks = try batch.integers("tasks")
    return try zip(batch.list("tokens"), batch.list("token_types")).enumerated().map { index, pair in
      PackedBatch.Sequence(
        tokens: try #require(pair.0.arrayValue).map { Int32(try #require($0.intValue)) },
        tokenTypes: try #require(pair.1.arrayValue).map { Int32(try #require($0.intValue)) },
        task: tasks[index], integers: [labels[index]])
    }
  }
}
