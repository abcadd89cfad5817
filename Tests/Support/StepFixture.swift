import PTuneEngine
import PTuneFormats
import PTunePlugins
import Testing

import PTuneComposition

/// Reads what Scripts/generate/fixtures writes of a training step.
package enum StepFixture {
  package static func adapter(_ json: JSONValue) throws -> ComponentChoice {
    var hyperparameters = try hyperparameters(json)
    let plugin = try json.text("adapter")
    if !["p-tuning", "ia3"].contains(plugin) { hyperparameters["dropout"] = .double(0) }
    if ["prefix-tuning", "p-tuning-v2"].contains(plugin) {
      hyperparameters["shift_positions"] = .bool(json["first_position"]?.intValue != 0)
    }
    return ComponentChoice(plugin: plugin, hyperparameters: hyperparameters)
  }

  package static func hyperparameters(_ json: JSONValue) throws -> [String: HyperparameterValue] {
    var hyperparameters: [String: HyperparameterValue] = [:]
    for (key, value) in try #require(json["hyperparameters"]?.objectValue) {
      hyperparameters[key] = HyperparameterValue(value) as HyperparameterValue?
    }
    return hyperparameters
  }

  package static func selector(_ json: JSONValue) throws -> ComponentChoice? {
    try json["selector"].map {
      ComponentChoice(plugin: try $0.text("plugin"), hyperparameters: try hyperparameters($0))
    }
  }

  package static func head(_ json: JSONValue) throws -> ComponentChoice {
    let head = try #require(json["head"])
    let labels = (0..<(head["labels"]?.intValue ?? 0)).map { "label \($0)" }
    switch head["plugin"]?.stringValue {
    case "causal-lm": return ComponentChoice(plugin: "causal-lm")
    case "extractive-qa": return ComponentChoice(plugin: "extractive-qa")
    case "multiple-choice", "sequence-classification":
      var choice = ComponentChoice(
        plugin: try head.text("plugin"),
        hyperparameters: [
          "pooling": .string(try head.text("pooling")), "base_pooler": .bool(head["base_pooler"] == true),
          "dropout": .double(0),
        ])
      if head["multi_label"] == true {
        choice.hyperparameters["labels"] = .strings(labels)
        choice.hyperparameters["multi_label"] = .bool(true)
      }
      return choice
    default: break
    }
    if head["plugin"]?.stringValue == "regression" {
      return ComponentChoice(
        plugin: "regression",
        hyperparameters: [
          "pooling": .string(try head.text("pooling")), "base_pooler": .bool(head["base_pooler"] == true),
          "dropout": .double(0),
        ])
    }
    if head["plugin"]?.stringValue == "masked-lm-verbalizer" {
      return ComponentChoice(
        plugin: "masked-lm-verbalizer",
        hyperparameters: [
          "labels": .strings(labels), "words": .strings(try head.list("words").compactMap(\.stringValue)),
          "pieces": .string(try head.text("pieces")),
        ].merging(lossSettings(head, labels)) { $1 })
    }
    if let plugin = head["plugin"]?.stringValue {
      return ComponentChoice(
        plugin: plugin, hyperparameters: ["labels": .strings(labels), "dropout": .double(0)])
    }
    return ComponentChoice(
      plugin: "sequence-classification",
      hyperparameters: [
        "labels": .strings(labels), "pooling": .string(try head.text("pooling")),
        "base_pooler": .bool(head["base_pooler"] == true),
        "hidden_layers": .int(try #require(head["hidden_layers"]?.intValue)), "dropout": .double(0),
        "activation": .string(head["activation"]?.stringValue ?? "tanh"),
      ].merging(lossSettings(head, labels)) { $1 })
  }

  private static func lossSettings(_ head: JSONValue, _ labels: [String]) -> [String: HyperparameterValue] {
    let weights = head["class_weights"]?.arrayValue ?? []
    return [
      "class_weights": .strings(zip(labels, weights).map { "\($0)=\($1.doubleValue ?? 0)" }),
      "label_smoothing": .double(head["label_smoothing"]?.doubleValue ?? 0),
    ]
  }

  package static func batch(_ json: JSONValue) throws -> PackedBatch {
    let tokens = try json.list("tokens")
    let types = try json.list("token_types")
    // A label per sequence, a class or a number, or a list: a class per token, say.
    let labels = try json.list("labels").map { $0.arrayValue ?? [$0] }
    let marks = json["marks"]?.arrayValue
    let sequences = try tokens.indices.map {
      PackedBatch.Sequence(
        tokens: try tokens[$0].arrayValue?.map { Int32(try #require($0.intValue)) } ?? [],
        tokenTypes: try types[$0].arrayValue?.map { Int32(try #require($0.intValue)) } ?? [],
        integers: labels[$0].compactMap { $0.intValue.map { Int32($0) } },
        numbers: labels[$0].compactMap { $0.doubleValue.map { Float($0) } },
        marks: try marks?[$0].arrayValue?.map { Int32(try #require($0.intValue)) } ?? [])
    }
    let examples = try json["examples"] == nil ? Array(0...Int32(tokens.count)) : json.integers("examples")
    return PackedBatch(
      examples: zip(examples, examples.dropFirst()).map { Array(sequences[Int($0)..<Int($1)]) },
      training: true)
  }
}
