import PTuneComposition
import PTuneFormats
import PTunePlugins
import PTuneText

/// Reads what ``AdapterDocument`` has in adapter_config.json.
struct AdapterConfigReader {
  let folder: String
  let config: JSONValue

  /// ptune's own part of a config: of one in its own layout, or of one in PEFT's; nil for what PEFT wrote alone.
  static func own(_ config: JSONValue) -> JSONValue? { config["ptune"] ?? config["auto_mapping"]?["ptune"] }

  private func wrong(_ reason: String) -> AdapterError {
    .notAnAdapter(folder: folder, reason: "\(AdapterFolder.configName) \(reason)")
  }

  func adapter() throws(AdapterError) -> AdapterFolder {
    guard let own = Self.own(config), own.objectValue != nil else {
      throw wrong("has neither the key 'ptune' nor 'peft_type'")
    }
    guard own["format"]?.intValue == 1 else { throw wrong("has a format that this ptune does not know") }
    guard
      let model = own["base"]?["model"]?.stringValue ?? config["base_model_name_or_path"]?.stringValue
    else {
      throw wrong("has no key 'base_model_name_or_path'")
    }
    guard let fingerprint = own["base"]?["weights_sha256"]?.stringValue else {
      throw wrong("has no key 'ptune.base.weights_sha256'")
    }
    guard let tasks = own["tasks"]?.arrayValue, !tasks.isEmpty else { throw wrong("names no tasks") }
    var composed: [ComposedTask] = []
    for task in tasks { composed.append(try self.task(task)) }
    var adapters = [try component(own["adapter"], "adapter")]
    for adapter in own["further_adapters"]?.arrayValue ?? [] {
      adapters.append(try component(adapter, "further adapter"))
    }
    guard let input = InputReading(own) else {
      throw wrong("has a malformed 'token_types', 'uncounted_token', 'read_token' or 'ends_texts'")
    }
    let blueprint = Blueprint(
      base: try component(own["base"], "base"), adapters: adapters,
      selector: own["selector"] == nil ? nil : try component(own["selector"], "selector"), tasks: composed,
      maximumLength: own["maximum_length"]?.intValue, input: input)
    var read = AdapterFolder(
      path: folder, modelName: model, fingerprint: fingerprint, blueprint: blueprint,
      plugins: (own["plugins"]?.arrayValue ?? []).compactMap(plugin))
    if let encoder = own["adapter"]?["encoder"], let digest = encoder["makes_sha256"]?.stringValue {
      let before = try component(
        ["plugin": .string(adapters[0].plugin), "hyperparameters": encoder["hyperparameters"] ?? .null],
        "adapter's encoder")
      read.encoder = FoldedEncoder(hyperparameters: before.hyperparameters, makes: digest)
    }
    return read
  }

  private func task(_ value: JSONValue) throws(AdapterError) -> ComposedTask {
    guard let name = value["name"]?.stringValue else { throw wrong("has a task without a name") }
    let place = RunPlace.file(FilePath.join(folder, AdapterFolder.configName), line: 1)
    func column(_ key: String) -> Located<String>? {
      (value["data"]?[key]?.stringValue).map { Located($0, place) }
    }
    var fields: [String: Located<String>] = [:]
    for (name, column) in value["data"]?["fields"]?.objectValue ?? JSONObject() {
      fields[name] = column.stringValue.map { Located($0, place) }
    }
    var data = DataSpec(
      train: Located("", place), validation: nil, test: nil,
      format: value["data"]?["format"]?.stringValue.flatMap(DataFormat.init(rawValue:)), header: nil,
      text: column("text") ?? Located("text", place), textPair: column("text_pair"),
      label: column("label") ?? Located("label", place), template: try template(column("template")),
      chatTemplate: column("chat_template"),
      fields: fields, maximumRows: nil)
    data.hasConversations = value["data"]?["conversations"]?.boolValue ?? false
    return ComposedTask(name: name, head: try component(value["head"], "head of '\(name)'"), data: data)
  }

  private func template(_ text: Located<String>?) throws(AdapterError) -> Located<TextTemplate>? {
    guard let text else { return nil }
    do {
      return Located(try TextTemplate(text.value), text.place)
    } catch {
      throw wrong("has a malformed template: \(error)")
    }
  }

  private func component(_ value: JSONValue?, _ what: String) throws(AdapterError) -> ComponentChoice {
    guard let plugin = value?["plugin"]?.stringValue else { throw wrong("names no plugin for the \(what)") }
    var hyperparameters: [String: HyperparameterValue] = [:]
    for (name, value) in value?["hyperparameters"]?.objectValue ?? JSONObject() {
      guard let read = HyperparameterValue(value) else {
        throw wrong("gives \(value.kind) for '\(name)' of the \(what)")
      }
      hyperparameters[name] = read
    }
    return ComponentChoice(plugin: plugin, hyperparameters: hyperparameters)
  }

  private func plugin(_ value: JSONValue) -> UsedPlugin? {
    guard let kind = value["kind"]?.stringValue.flatMap(ComponentKind.init(rawValue:)),
      let name = value["name"]?.stringValue, let version = value["version"]?.stringValue,
      let file = value["file"]?.stringValue
    else { return nil }
    return UsedPlugin(kind: kind, name: name, version: version, file: file)
  }
}
