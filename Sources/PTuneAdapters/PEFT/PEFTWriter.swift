import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// Writes an adapter that PEFT can express.
package struct PEFTWriter {
  /// The version of PEFT whose format this is.
  private static let version = "0.21.2"

  let expression: PEFTExpression
  /// What ptune adds.
  let document: AdapterDocument

  /// Writes an adapter that PEFT can express.
  package init(expression: PEFTExpression, document: AdapterDocument) {
    self.expression = expression
    self.document = document
  }

  private var composition: Composition { document.composition }

  /// What the reader reads, the other way round.
  package func tensors() throws -> [TensorData] {
    let names = expression.tasks.map { composition.tasks[$0].name }
    let heads = expression.layout.places(names) { .adapter(expression.method.modulePrefix + $0) }
    let method =
      expression.method.attaches
      ? expression.sites.places(document.first.tensors.map(\.name)) : expression.method.tensors(names)
    let places = method.merging(heads) { $1 }
    var values = document.first.tensors.map { ($0.name, $0) }
    for (task, name) in zip(expression.tasks, names) {
      values += composition.model.exportHead(task: task).map {
        ("\(ParameterOwner.head(name)).\($0.name)", $0)
      }
    }
    var whole: [String: TensorData] = [:]
    var parts: [String: [(element: Int, shape: [Int], floats: [Float])]] = [:]
    for (name, tensor) in values {
      // What belongs to a task that is not written has no place.
      guard case .adapter(let stored, let element)? = places[name] else { continue }
      if let element {
        parts[stored, default: []].append((element, tensor.shape, tensor.values))
      } else {
        whole[stored] = TensorData(name: stored, shape: tensor.shape, floats: tensor.values)
      }
    }
    for (name, elements) in parts {
      let ordered = elements.sorted { $0.element < $1.element }
      whole[name] = TensorData(
        name: name, shape: [ordered.count] + ordered[0].shape, floats: ordered.flatMap(\.floats))
    }
    return whole.values.sorted { $0.name < $1.name }
  }

  /// A base model's name on the hub, perhaps with a revision; nil for a folder, which comes first.
  package static func hubName(_ model: String) -> HubName? {
    FileSystem.exists(model) ? nil : HubName(model)
  }

  /// adapter_config.json with the keys that PEFT writes.
  func config() throws -> JSONValue {
    let hyperparameters = document.first.choice.hyperparameters
    func count(_ name: String) -> JSONValue {
      if case .int(let count)? = hyperparameters[name] { .int(count) } else { .null }
    }
    guard let facts = composition.model.facts else { preconditionFailure("a composition has a base model") }
    // Prefixes are as wide as keys, which queries may share.
    let prefixHeads =
      try composition.checkpoint.config.integer("num_key_value_heads") ?? facts.attentionHeads
    let atInput = expression.method.promptAtInput
    let width = atInput ? facts.hiddenSize : facts.keyValueSize
    let hub = Self.hubName(composition.modelName)

    var config = expression.method.members
    config["auto_mapping"] = ["ptune": .object(document.members)]
    config["base_model_name_or_path"] = .string(hub?.repository ?? composition.modelName)
    config["inference_mode"] = true
    config["modules_to_save"] =
      expression.type.savedModules.map { modules in
        .array((modules + [expression.layout.savedBeside].compactMap { $0 }).map { .string($0) })
      } ?? .null
    config["peft_type"] = .string(expression.method.type)
    config["peft_version"] = .string(Self.version)
    config["revision"] = (hub?.revision).map { .string($0) } ?? .null
    config["task_type"] = .string(expression.type.rawValue)
    if expression.method.attaches {
      let family = composition.checkpoint.config.modelType
      let tensors = document.first.tensors.map { ($0.name, $0.shape) }
      for (key, value) in expression.sites.config(document.first.choice, tensors, family: family) {
        config[key] = value
      }
      return .object(config)
    }
    config["num_attention_heads"] = .int(atInput ? facts.attentionHeads : prefixHeads)
    config["num_layers"] = .int(facts.layers)
    config["num_transformer_submodules"] = 1
    config["num_virtual_tokens"] = count("virtual_tokens")
    config["token_dim"] = .int(width)
    if config["encoder_hidden_size"] != nil { config["encoder_hidden_size"] = .int(width) }
    if expression.method.isMultitask {
      config["num_ranks"] = count("rank")
      config["num_tasks"] = .int(expression.tasks.count)
    }
    return .object(config)
  }
}

extension PEFTHead.TaskType {
  /// The modules that PEFT always saves with a task of this type.
  fileprivate var savedModules: [String]? {
    switch self {
    case .sequenceClassification, .tokenClassification: ["classifier", "score"]
    case .questionAnswering: ["qa_outputs"]
    case .causalLM: nil
    }
  }

  /// What transformers loads the base model with.
  var modelClass: String {
    switch self {
    case .sequenceClassification: "AutoModelForSequenceClassification"
    case .tokenClassification: "AutoModelForTokenClassification"
    case .questionAnswering: "AutoModelForQuestionAnswering"
    case .causalLM: "AutoModelForCausalLM"
    }
  }
}
