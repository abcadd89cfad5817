import PTuneFormats
import PTunePlugins

/// Writes an adapter that PEFT can express.
struct PEFTWriter {
  /// The version of PEFT whose format this is.
  private static let version = "0.21.2"

  let expression: PEFTExpression
  let composition: Composition

  func write(to output: String) throws -> PEFTExport {
    try check(output)
    let tensors = try tensors()
    let (config, names) = (try config(), names)
    try FileSystem.createFolder(output)
    try SafetensorsWriter.write(
      tensors, metadata: ["format": "pt"], to: FilePath.join(output, AdapterFolder.weightsName))
    try AtomicFile.write(names.document.text(.pretty), to: FilePath.join(output, PEFTNames.fileName))
    let style = JSONStyle(sortedKeys: true, trailingNewline: false)
    try AtomicFile.write(config.text(style), to: FilePath.join(output, AdapterFolder.configName))
    return PEFTExport(
      method: expression.method.type, taskType: expression.type.rawValue,
      modelClass: expression.type.modelClass, tasks: names.tasks.map(\.name), labels: labelCount,
      problemType: names.tasks[0].problemType, replacesHead: replacesHead(tensors),
      baseModel: config["base_model_name_or_path"]?.stringValue ?? "",
      tensors: tensors.map { ($0.name, $0.shape) }, warnings: warnings)
  }

  private func replacesHead(_ tensors: [TensorData]) -> Bool {
    tensors.contains { tensor in
      guard tensor.name.hasPrefix(PEFTReader.modulePrefix) else { return false }
      let name = String(tensor.name.dropFirst(PEFTReader.modulePrefix.count))
      return composition.checkpoint.weights.shape(of: name).map { $0 != tensor.shape } ?? false
    }
  }

  private var warnings: [String] {
    var warnings = expression.tasks.compactMap { task -> String? in
      composition.tasks[task].data.template.map {
        "PEFT knows no templates: fill '\($0.value.source)' in before the text is tokenized"
      }
    }
    let family = composition.checkpoint.config.modelType ?? ""
    if expression.type == .questionAnswering, ["llama", "qwen2"].contains(family),
      composition.checkpoint.weights.has("model.embed_tokens.weight")
    {
      warnings.append(
        "transformers' class for questions calls a \(family) model 'transformer' and finds none of the weights that "
          + "are called 'model.' in \(composition.modelName): load them into 'base.transformer' by hand")
    }
    return warnings
  }

  /// - Throws: ``TrainingError/unusable(_:help:)`` for a folder whose content should not be lost.
  private func check(_ output: String) throws {
    guard FileSystem.exists(output) else { return }
    guard FileSystem.isFolder(output) else {
      throw TrainingError.unusable("'\(output)' is no folder", help: "name another one with --output")
    }
    let help = "name an empty or a new one with --output"
    let config = FilePath.join(output, AdapterFolder.configName)
    guard try FileSystem.isFile(config) || FileSystem.entries(of: output).isEmpty else {
      throw TrainingError.unusable(
        "the folder '\(output)' holds something else than an adapter", help: help)
    }
    guard try !FileSystem.isFile(config) || JSONValue.read(config)["ptune"] == nil else {
      throw TrainingError.unusable("the folder '\(output)' holds an adapter that ptune trained", help: help)
    }
  }

  /// What the reader reads, the other way round.
  private func tensors() throws -> [TensorData] {
    let names = expression.tasks.map { composition.tasks[$0].name }
    let heads = expression.layout.places(names) { .adapter(PEFTReader.modulePrefix + $0) }
    let places = expression.method.tensors(names).merging(heads) { $1 }
    var values = try composition.model.exportAdapter().tensors.map { ($0.name, $0) }
    for (task, name) in zip(expression.tasks, names) {
      values += composition.model.exportHead(task: task).map { ("head.\(name).\($0.name)", $0) }
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

  /// adapter_config.json with the keys that PEFT writes.
  private func config() throws -> JSONValue {
    let hyperparameters = composition.adapter.hyperparameters
    func count(_ name: String) -> JSONValue {
      if case .int(let count)? = hyperparameters[name] { .int(count) } else { .null }
    }
    guard let facts = composition.model.facts else { preconditionFailure("a composition has a base model") }
    // Prefixes are as wide as keys, which queries may share.
    let prefixHeads =
      try composition.checkpoint.config.integer("num_key_value_heads") ?? facts.attentionHeads
    let atInput = expression.method.promptAtInput
    let width = atInput ? facts.hiddenSize : facts.keyValueSize
    // Hub names may have a revision; a folder of that name comes first.
    let hub = FileSystem.exists(composition.modelName) ? nil : HubName(composition.modelName)

    var config = expression.method.members
    config["auto_mapping"] = .null
    config["base_model_name_or_path"] = .string(hub?.repository ?? composition.modelName)
    config["inference_mode"] = true
    config["modules_to_save"] = expression.type.savedModules.map { .array($0.map { .string($0) }) } ?? .null
    config["num_attention_heads"] = .int(atInput ? facts.attentionHeads : prefixHeads)
    config["num_layers"] = .int(facts.layers)
    config["num_transformer_submodules"] = 1
    config["num_virtual_tokens"] = count("virtual_tokens")
    config["peft_type"] = .string(expression.method.type)
    config["peft_version"] = .string(Self.version)
    config["revision"] = (hub?.revision).map { .string($0) } ?? .null
    config["task_type"] = .string(expression.type.rawValue)
    config["token_dim"] = .int(width)
    if config["encoder_hidden_size"] != nil { config["encoder_hidden_size"] = .int(width) }
    if expression.method.isMultitask {
      config["num_ranks"] = count("rank")
      config["num_tasks"] = .int(expression.tasks.count)
    }
    return .object(config)
  }

  private var names: PEFTNames {
    PEFTNames(
      tasks: expression.tasks.map { index in
        let task = composition.tasks[index]
        return PEFTNames.Task(name: task.name, labels: task.labels, problemType: problemType(task))
      })
  }

  private func problemType(_ task: ComposedTask) -> String? {
    switch (task.head.plugin, task.head.hyperparameters["multi_label"]) {
    case ("regression", _): "regression"
    case ("sequence-classification", .bool(true)): "multi_label_classification"
    case ("sequence-classification", _): "single_label_classification"
    default: nil
    }
  }

  private var labelCount: Int? {
    let task = composition.tasks[expression.tasks[0]]
    return switch task.head.plugin {
    case "regression": 1
    // The first and the last token of an answer.
    case "extractive-qa": 2
    default: task.labels.isEmpty ? nil : task.labels.count
    }
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
  fileprivate var modelClass: String {
    switch self {
    case .sequenceClassification: "AutoModelForSequenceClassification"
    case .tokenClassification: "AutoModelForTokenClassification"
    case .questionAnswering: "AutoModelForQuestionAnswering"
    case .causalLM: "AutoModelForCausalLM"
    }
  }
}
