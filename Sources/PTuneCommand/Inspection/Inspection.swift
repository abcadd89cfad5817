import PTuneAdapters
import PTuneComposition
import PTuneEngine
import PTuneFormats

/// What `ptune inspect` found out.
struct Inspection {
  /// What the folder says.
  let facts: AdapterFacts
  /// Why there is no more than that: the base model is not on this machine.
  var missingBase: AdapterError?
  /// The base model in use.
  var modelName: String?
  var counts: ParameterCounts?
  var adapters: [ComponentChoice] = []
  var tasks: [(name: String, head: String, labels: [String])] = []
  /// The task that the prompts are for.
  var task: String?
  var prompts: [PromptInspection] = []
  var taskSimilarity: [[Double]]?
  var attention: AttentionInspection?
  var selection: SelectionStatistics?

  /// Whether an error only means that there is no base model, and nobody asked for what needs one.
  func canDoWithout(_ error: AdapterError, isBaseNeeded: Bool) -> Bool {
    guard !isBaseNeeded else { return false }
    if case .baseNotFound = error { return true }
    return facts.modelName == nil
  }

  /// What `ptune inspect --json` prints.
  var json: JSONValue {
    var object = facts.json
    if let modelName { object["base_model"] = .string(modelName) }
    // What PEFT's config does not say follows from the base model.
    if object["adapters"] == nil, !adapters.isEmpty { object["adapters"] = .array(adapters.map(\.json)) }
    if !tasks.isEmpty {
      object["tasks"] = .array(
        tasks.map {
          [
            "name": .string($0.name), "head": .string($0.head),
            "labels": .array($0.labels.map { .string($0) }),
          ]
        })
    }
    object["parameters"] = counts?.json ?? ["total": .int(facts.parameters)]
    guard counts != nil else { return .object(object) }
    object["task"] = task.map { .string($0) }
    object["prompts"] = .array(prompts.map { .object($0.json) })
    object["task_similarity"] = taskSimilarity.map { .array($0.map { .array($0.map { .double($0) }) }) }
    object["attention"] = attention?.json
    object["selection"] = selection?.json
    return .object(object)
  }
}

/// How many numbers the parts of an adapter have.
struct ParameterCounts {
  /// The parts in their order, with their owner: a tuning method's name, "selector", "head.TASK".
  let parts: [(owner: String, count: Int)]
  /// Values of the base model.
  let base: Int

  init(_ run: AdapterRun) {
    var parts: [(owner: String, count: Int)] = []
    for parameter in run.composition.model.parameters {
      let owner =
        switch parameter.owner {
        case ParameterOwner.adapter: run.composition.adapters[0].plugin
        default: ParameterOwner.laterAdapter(in: parameter.owner) ?? parameter.owner
        }
      if let index = parts.firstIndex(where: { $0.owner == owner }) {
        parts[index].count += parameter.count
      } else {
        parts.append((owner, parameter.count))
      }
    }
    self.parts = parts
    base = run.composition.model.baseCount
  }

  var total: Int { parts.reduce(0) { $0 + $1.count } }
  /// Beside the base model's.
  var share: Double { Double(total) / Double(max(1, base)) }

  var json: JSONValue {
    var object = JSONObject()
    for part in parts { object[part.owner] = .int(part.count) }
    return [
      "total": .int(total), "parts": .object(object), "base_model": .int(base), "share": .double(share),
    ]
  }
}
