import PTuneComposition
import PTuneFormats
import PTunePlugins
import PTuneText

/// Makes an ``AdapterFolder`` of a folder that PEFT wrote, on the base model that it is for.
struct PEFTReader {
  /// PEFT's own copy of the word embeddings.
  private static let ownWordTable = "word_embeddings.weight"
  /// What the classes of transformers call their word embeddings, by `model_type`.
  private static let wordTables = [
    "bert": "bert.embeddings.word_embeddings.weight",
    "distilbert": "distilbert.embeddings.word_embeddings.weight",
    "roberta": "roberta.embeddings.word_embeddings.weight",
    "xlm-roberta": "roberta.embeddings.word_embeddings.weight",
    "gpt2": "transformer.wte.weight", "llama": "model.embed_tokens.weight",
    "qwen2": "model.embed_tokens.weight", "mistral": "model.embed_tokens.weight",
  ]

  /// The name of the word embeddings among a checkpoint's weights, those of a bare model too; nil if ptune does not know
  /// the family.
  static func wordTable(_ config: ModelConfig, in names: [String]) -> String? {
    guard let name = wordTables[config.modelType ?? ""], let dot = name.firstIndex(of: ".") else {
      return nil
    }
    return [name, String(name[name.index(after: dot)...])].first(where: names.contains)
  }

  let config: PEFTConfig
  let checkpoint: ModelCheckpoint
  /// What ptune says of it, if ptune trained it.
  let own: AdapterFolder?

  /// Reads config and file; nothing but headers of weights.
  ///
  /// - Parameter warn: takes what is worth knowing but no error.
  /// - Throws: ``AdapterError``, ``PEFTError``, or what is wrong with the adapter's file or the base model's config.
  func adapter(modelName: String, warn: (String) -> Void) throws -> AdapterFolder {
    let method = try config.method()
    let type = try config.taskType()
    let file = try AdapterFolder.open(config.folder)
    let ours = try own.map { try checked($0, method) }
    let unknown = try config.checkKeys(method)
    try PEFTTargets(config, method)?.check(file)
    var folder = try ours ?? described(method, type, file, modelName: modelName)
    guard
      let layout = PEFTHead.layout(
        type, family: checkpoint.config.modelType, has: checkpoint.hasOwn)
    else {
      throw PEFTHead.unsupported(type, checkpoint.config, folder: config.folder)
    }
    let tasks = folder.tasks.map(\.name)
    for place in method.tensors(tasks).values {
      guard case .adapter(let stored, .some) = place, let count = file.tensor(stored)?.shape.first,
        count != tasks.count
      else { continue }
      throw AdapterError.foreignTensor(
        file: file.path, name: stored,
        reason: "is for \(count) tasks, but \(AdapterFolder.configName) has \(tasks.count) as 'num_tasks'")
    }
    let sites = PEFTSites(type, family: checkpoint.config.modelType)
    let values = method.attaches ? sites.places(sites.names(in: file)) : method.tensors(tasks)
    let places = values.merging(layout.places(tasks) { place(of: $0, file) }) { $1 }
    folder.places = places
    folder.ignored = Set(
      [Self.ownWordTable] + (table.map { [modulePrefix + $0] } ?? []) + file.names.filter(Self.isOriginal))
    folder.replacedWeights = try replacedWeights(
      file, except: Set(places.values.map(\.name)), promptAtInput: method.promptAtInput,
      isLanguageModel: type == .causalLM)
    if own == nil { try readRowsAsTransformers(&folder, method, layout) }
    if !unknown.isEmpty {
      warn(
        "\(config.folder): \(AdapterFolder.configName) has keys that ptune does not know and does not use: "
          + unknown.joined(separator: ", "))
    }
    return folder
  }

  /// What transformers' classes do with the tokens of a row, where ptune's own adapters do otherwise.
  private func readRowsAsTransformers(
    _ folder: inout AdapterFolder, _ method: PEFTMethod, _ layout: PEFTHead.Layout
  ) throws {
    // Under a prompt at the input they see no ids, so they cannot tell which one is for padding.
    let padding =
      method.promptAtInput ? nil : try checkpoint.config.integer("pad_token_id").map { Int32(clamping: $0) }
    if layout.settings["pooling"] == .string("last") {
      folder.blueprint.input.readToken = padding.map { .lastExcept($0) } ?? .last
    }
    if ["roberta", "xlm-roberta"].contains(checkpoint.config.modelType) {
      folder.blueprint.input.uncountedToken = padding
    }
    folder.blueprint.input.endsTexts = false
  }

  /// What ptune says of the adapter, if that goes with what PEFT's keys say.
  private func checked(_ own: AdapterFolder, _ method: PEFTMethod) throws(AdapterError) -> AdapterFolder {
    func wrong(_ reason: String) -> AdapterError {
      .notAnAdapter(folder: config.folder, reason: "\(AdapterFolder.configName) \(reason)")
    }
    guard method.settings(of: own.adapters[0].plugin) != nil else {
      throw wrong("has the peft_type '\(method.type)', but names the adapter '\(own.adapters[0].plugin)'")
    }
    let count = try config.tasks().count
    guard own.tasks.count == count else {
      throw wrong("has \(count) as 'num_tasks', but names \(own.tasks.count) tasks")
    }
    return own
  }

  /// What PEFT's config says alone, with the names in a file beside it where an earlier ptune exported it.
  private func described(
    _ method: PEFTMethod, _ type: PEFTHead.TaskType, _ file: SafetensorsFile, modelName: String
  ) throws -> AdapterFolder {
    let unnamed = try config.tasks()
    let names = try PEFTNames.read(config.folder, tasks: unnamed.count)
    let tasks = names?.tasks.map(\.name) ?? unnamed
    let heads = try tasks.indices.map { index in
      try PEFTHead(type, of: checkpoint, folder: config.folder, names: names?.tasks[index]) { module in
        let place = place(of: "\(module).weight", file)
        let shape =
          if case .base = place { checkpoint.weights.shape(of: place.name) } else {
            file.tensor(place.name)?.shape
          }
        return shape?.first
      }
    }
    let adapter =
      try method.attaches
      ? PEFTSites(type, family: checkpoint.config.modelType).component(method, config, file)
      : method.component(config)
    var input = InputReading()
    // PEFT does not hand them on to models that answer questions, so these have never seen any.
    input.usesTokenTypes = type != .questionAnswering
    let blueprint = Blueprint(
      base: nil, adapters: [adapter], selector: nil,
      tasks: zip(tasks, heads).map { ComposedTask(name: $0, head: $1.component, data: data) },
      maximumLength: nil, input: input)
    return AdapterFolder(
      path: config.folder, modelName: modelName, fingerprint: nil, blueprint: blueprint, plugins: [])
  }

  /// What stands before the modules of the base model.
  private var modulePrefix: String { (try? config.method())?.modulePrefix ?? "base_model." }

  /// Where a weight of a module is: in the adapter if PEFT saved it, else in the base model.
  private func place(of weight: String, _ file: SafetensorsFile) -> TensorPlace {
    let prefixes = [modulePrefix, PEFTMethod.attachedPrefix, "base_model.", ""]
    let saved = prefixes.lazy.compactMap { prefix in
      file.names.first { Self.unwrapped($0) == prefix + weight }
    }.first
    if let saved { return .adapter(saved) }
    return checkpoint.weights.has(weight) ? .base(weight) : .adapter(modulePrefix + weight)
  }

  /// A tensor's name without the wrapper that PEFT puts around modules while it trains them, which states that were saved
  /// whole have: `base_model.classifier.modules_to_save.default.weight`.
  private static func unwrapped(_ name: String) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false)
    if let wrapper = parts.firstIndex(of: "modules_to_save") {
      parts.removeSubrange(wrapper..<min(wrapper + 2, parts.count - 1))
    }
    return parts.joined(separator: ".")
  }

  /// Whether a tensor is what a trained module was before, in such a state.
  private static func isOriginal(_ name: String) -> Bool { name.contains(".original_module.") }

  /// What PEFT saved of the base model beside the head.
  ///
  /// Where the prompt is at the input, PEFT looks words up itself: in the table that the model had in the beginning, or in
  /// a copy that it saves without the prefix. What it saved of the model's own table has no effect then. Under prefixes it
  /// is the other way round, and an output layer that shared the table keeps the old one.
  private func replacedWeights(
    _ file: SafetensorsFile, except used: Set<String>, promptAtInput: Bool, isLanguageModel: Bool
  ) throws(AdapterError) -> WeightReplacements {
    var replaced: [(name: String, stored: String)] = []
    for name in file.names where !used.contains(name) && !Self.isOriginal(name) {
      let module = Self.unwrapped(name)
      if module == Self.ownWordTable, let table {
        if promptAtInput { replaced.append((table, name)) }
      } else if module.hasPrefix(modulePrefix) {
        let weight = String(module.dropFirst(modulePrefix.count))
        if weight != table || !promptAtInput { replaced.append((weight, name)) }
      }
    }
    let isShared = isLanguageModel && !checkpoint.weights.has("lm_head.weight")
    do {
      return try WeightReplacements(
        replaced, table: table, sharesTable: isShared, from: file, in: checkpoint.weights)
    } catch {
      throw .foreignTensor(file: file.path, name: error.tensor, reason: error.reason)
    }
  }

  /// What the base model's transformers class calls its word embeddings; nil for a family that is not known.
  private var table: String? { Self.wordTables[checkpoint.config.modelType ?? ""] }

  /// PEFT knows nothing of columns.
  private var data: DataSpec {
    let place = RunPlace.file(FilePath.join(config.folder, AdapterFolder.configName), line: 1)
    return DataSpec(
      train: Located("", place), validation: nil, test: nil, format: nil, header: nil,
      text: Located("text", place), textPair: nil, label: Located("label", place), template: nil, fields: [:],
      maximumRows: nil)
  }
}

extension ModelCheckpoint {
  /// Whether the checkpoint has a weight that a class of transformers calls so; that of a bare model lacks the first part.
  func hasOwn(_ weight: String) -> Bool {
    weights.has(weight)
      || weight.firstIndex(of: ".").map { weights.has(String(weight[weight.index(after: $0)...])) } ?? false
  }
}
