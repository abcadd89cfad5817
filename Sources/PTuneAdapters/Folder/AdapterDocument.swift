import PTune
import PTuneComposition
import PTuneFormats
import PTunePlugins

/// What ptune says of an adapter in adapter_config.json, beside PEFT's keys: components, tasks, and what they were
/// trained on and with.
package struct AdapterDocument {
  let composition: Composition
  /// The adapters with their values, in their order; at least one.
  let adapters: [TrainedAdapter]
  /// The numbers of the tasks in the folder.
  let tasks: [Int]
  /// Tokens to which texts were cut, if the run said so.
  let maximumLength: Int?
  /// Whether the folder is a copy, which may be written again.
  var isExport = false

  /// What is said of an adapter of a composition.
  package init(
    composition: Composition, adapters: [TrainedAdapter], tasks: [Int], maximumLength: Int?,
    isExport: Bool = false
  ) {
    self.composition = composition
    self.adapters = adapters
    self.tasks = tasks
    self.maximumLength = maximumLength
    self.isExport = isExport
  }

  /// The first adapter, which alone can be folded.
  package var first: TrainedAdapter { adapters[0] }

  /// The members of the key `ptune`.
  var members: JSONObject {
    var own = JSONObject()
    own["format"] = 1
    own["ptune_version"] = .string(Release.version)
    if isExport { own["exported"] = true }
    var base = component(composition.base)
    base["model"] = .string(composition.modelName)
    base["weights_sha256"] = .string(composition.checkpoint.fingerprint.weights)
    own["base"] = .object(base)
    var method = component(first.choice)
    if let encoder = first.encoder {
      method["encoder"] = [
        "file": .string(FoldedEncoder.fileName), "hyperparameters": .object(object(encoder.hyperparameters)),
        "makes_sha256": .string(encoder.makes),
      ]
    }
    own["adapter"] = .object(method)
    if adapters.count > 1 {
      own["further_adapters"] = .array(adapters.dropFirst().map { .object(component($0.choice)) })
    }
    if let selector = composition.selector, first.choice.plugin == composition.adapters[0].plugin {
      own["selector"] = .object(component(selector))
    }
    own["tasks"] = .array(
      tasks.map { index in
        let task = composition.tasks[index]
        return [
          "name": .string(task.name), "head": .object(component(task.head)),
          "data": .object(columns(task.data)),
        ]
      })
    own["maximum_length"] = maximumLength.map { .int($0) } ?? .null
    for (key, value) in composition.input.members { own[key] = value }
    own["plugins"] = .array(
      composition.plugins.map {
        [
          "kind": .string($0.kind.rawValue), "name": .string($0.name), "version": .string($0.version),
          // Its name alone: an adapter is handed on, and where its maker keeps plugins is nobody's business.
          "file": .string(FilePath.name(of: $0.file)),
        ]
      })
    return own
  }

  private func component(_ choice: ComponentChoice) -> JSONObject {
    choice.json.objectValue ?? JSONObject()
  }

  private func object(_ hyperparameters: [String: HyperparameterValue]) -> JSONObject {
    var object = JSONObject()
    for (name, value) in hyperparameters.sorted(by: { $0.key < $1.key }) { object[name] = value.json }
    return object
  }

  private func columns(_ data: DataSpec) -> JSONObject {
    var object = JSONObject()
    object["text"] = .string(data.text.value)
    if let pair = data.textPair { object["text_pair"] = .string(pair.value) }
    object["label"] = .string(data.label.value)
    if let format = data.format { object["format"] = .string(format.rawValue) }
    if let template = data.template { object["template"] = .string(template.value.source) }
    if let template = data.chatTemplate { object["chat_template"] = .string(template.value) }
    if data.hasConversations { object["conversations"] = true }
    if !data.fields.isEmpty {
      var fields = JSONObject()
      for (name, column) in data.fields.sorted(by: { $0.key < $1.key }) {
        fields[name] = .string(column.value)
      }
      object["fields"] = .object(fields)
    }
    return object
  }
}
