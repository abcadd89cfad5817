import PTuneFormats
import PTuneTerminal

/// A task of a run: what results.json says of it, and its predictions.
struct RunTask: Sendable {
  let name: String
  let head: String
  let labels: [String]
  /// Examples by "train", "validation" and "test".
  let examples: [(part: String, count: Int)]
  let validation, test: Measured?
  let predictions: [Prediction]
  /// How many held-out examples there are, of which `predictions` may be a part.
  let heldOutCount: Int
  let samples: [Sample]

  /// Metrics of some examples.
  struct Measured: Sendable {
    let examples: Int
    let metrics: JSONObject
    /// The metric that counts.
    let primary: String
    let higherIsBetter: Bool
    let selection: JSONValue?

    init?(_ json: JSONValue?) {
      guard let examples = json?["examples"]?.intValue, let metrics = json?["metrics"]?.objectValue,
        let first = metrics.keys.first
      else { return nil }
      (self.examples, self.metrics) = (examples, metrics)
      primary = json?["primary"]?.stringValue ?? first
      higherIsBetter = json?["higher_is_better"]?.boolValue ?? true
      selection = json?["selection"]
    }

    var value: Double { metrics[primary]?.doubleValue ?? .nan }
    /// The accuracy of always answering the most frequent label, where there is such a thing.
    var majority: Double? { metrics["majority_class"]?.doubleValue }
  }

  /// What a causal model went on with.
  struct Sample: Sendable {
    let prompt, text, expected, finish: String

    init?(_ json: JSONValue) {
      guard let prompt = json["prompt"]?.stringValue, let text = json["text"]?.stringValue else { return nil }
      (self.prompt, self.text) = (prompt, text)
      expected = json["expected"]?.stringValue ?? ""
      finish = json["finish"]?.stringValue ?? ""
    }
  }

  init?(_ json: JSONValue, of run: RunFolder) {
    guard let name = json["name"]?.stringValue, let head = json["head"]?.stringValue else { return nil }
    (self.name, self.head) = (name, head)
    labels = (json["labels"]?.arrayValue ?? []).compactMap(\.stringValue)
    examples = ["train", "validation", "test"].compactMap { part in
      (json["examples"]?[part]?.intValue).map { (part, $0) }
    }
    validation = Measured(json["validation"])
    test = Measured(json["test"])
    predictions = run.predictions.filter { $0.task == name }
    heldOutCount = json["predictions"]?["examples"]?.intValue ?? predictions.count
    samples = (json["samples"]?.arrayValue ?? []).compactMap(Sample.init)
  }

  /// The test, or the best validation where there is no test data.
  var final: Measured? { test ?? validation }
  /// What `final` was measured on.
  var finalPart: String { test == nil ? "validation" : "test" }

  /// How `predictions` are to be called: "of the test data", "of the first 100 of 400 examples".
  var predictionsOf: String {
    let part = predictions.first?.of ?? finalPart
    return predictions.count < heldOutCount
      ? "the first \(NumberText.grouped(predictions.count)) of \(NumberText.grouped(heldOutCount)) \(part) examples"
      : "all \(NumberText.grouped(predictions.count)) \(part) examples"
  }
}

extension RunFolder {
  /// The tasks, in their order; none of a training that did not come to its end.
  var tasks: [RunTask] { (results?["tasks"]?.arrayValue ?? []).compactMap { RunTask($0, of: self) } }

  /// The tuning method, or those that work together.
  var method: String {
    let names = (results?["adapters"]?.arrayValue ?? []).compactMap(\.stringValue)
    if !names.isEmpty { return names.joined(separator: " + ") }
    let saved = adapters.compactMap { $0["plugin"]?.stringValue }
    return results?["adapter"]?["plugin"]?.stringValue
      ?? (saved.isEmpty ? "adapter" : saved.joined(separator: " + "))
  }
  /// What the adapter folder says of each method.
  var adapters: [JSONValue] {
    [ownDocument?["adapter"]].compactMap { $0 } + (ownDocument?["further_adapters"]?.arrayValue ?? [])
  }
  /// What ptune says in the adapter folder, beside PEFT's keys or as a part of them.
  var ownDocument: JSONValue? { adapter?["ptune"] ?? adapter?["auto_mapping"]?["ptune"] }
  /// The base model's name.
  var model: String {
    results?["base"]?["model"]?.stringValue ?? adapter?["base_model_name_or_path"]?.stringValue
      ?? "unknown model"
  }
  var trainableParameters: Int? { results?["adapter"]?["parameters"]?.intValue }
  var baseParameters: Int? { results?["base"]?["parameters"]?.intValue }
  var adapterBytes: Int? { results?["adapter"]?["bytes"]?.intValue }
  var seconds: Double? { results?["seconds"]?.doubleValue }
  var examplesPerSecond: Double? { results?["examples_per_second"]?.doubleValue }
  var bestStep: Int? { results?["best_step"]?.intValue }

  /// "0.41 %".
  var share: String? {
    guard let trainableParameters, let baseParameters, baseParameters > 0 else { return nil }
    return NumberText.percent(Double(trainableParameters) / Double(baseParameters))
  }
}
