import PTuneEngine
import PTuneFormats
import PTunePlugins

/// The result of a training on disk: `adapter_config.json` and `adapter_model.safetensors`.
///
/// The adapter's tensors stand under their own names (`prompt_embeddings`), those of a selector under
/// `selector.NAME` and those of a task's head under `head.TASK.NAME`. What ptune adds to the config is under the
/// key `ptune`.
public struct AdapterFolder: Sendable {
  static let configName = "adapter_config.json"
  static let weightsName = "adapter_model.safetensors"

  /// Where it is.
  public let path: String
  /// The base model as it was named in training.
  public let modelName: String
  /// The base model's component; nil for the one that its config.json asks for.
  public let base: ComponentChoice?
  /// The weights the adapter was trained on; nil where the folder does not say.
  public let fingerprint: String?
  /// The tuning method.
  public let adapter: ComponentChoice
  /// Further tuning methods that work together with it, in this order.
  public var further: [ComponentChoice] = []
  /// What weighs its pool; nil for one without.
  public let selector: ComponentChoice?
  /// The tasks, with how their rows are read; their data files are not recorded.
  public let tasks: [ComposedTask]
  /// Tokens to which texts were cut, if the run said so.
  public let maximumLength: Int?
  /// Whether the model sees which of two texts a token is of.
  var usesTokenTypes = true
  /// The plugins of the training.
  public let plugins: [UsedPlugin]
  /// Where the values of parameters are, by the names that ptune saves them under; nil: under these names.
  var places: [String: TensorPlace]?
  /// Tensors of its file that have no effect.
  var ignored: Set<String> = []
  /// Weights of the base model that it replaces.
  var replacedWeights = WeightReplacements.none
}

extension AdapterFolder {
  /// Writes the present parameters of a composition; what was there stays whole until the new files are.
  ///
  /// - Throws: `FileError` if it cannot be written, `EngineFailure` if the adapter cannot state what to save.
  static func write(_ composition: Composition, maximumLength: Int?, to folder: String) throws {
    try FileSystem.createFolder(folder)
    let (tensors, changed) = try composition.model.exportAdapter()
    var data = tensors.map { TensorData(name: $0.name, shape: $0.shape, floats: $0.values) }
    var furtherChanges: [[(name: String, json: String)]] = []
    for (index, adapter) in composition.further.enumerated() {
      let (tensors, changed) = try composition.model.exportAdapter(index + 1)
      data += tensors.map {
        TensorData(
          name: "\(Composer.furtherOwner)\(adapter.plugin).\($0.name)", shape: $0.shape, floats: $0.values)
      }
      furtherChanges.append(changed)
    }
    data += composition.model.exportSelector().map {
      TensorData(name: "selector.\($0.name)", shape: $0.shape, floats: $0.values)
    }
    for (index, task) in composition.tasks.enumerated() {
      data += composition.model.exportHead(task: index).map {
        TensorData(name: "head.\(task.name).\($0.name)", shape: $0.shape, floats: $0.values)
      }
    }
    try SafetensorsWriter.write(
      data, metadata: ["format": "pt"], to: FilePath.join(folder, weightsName))
    let config = try config(composition, maximumLength: maximumLength, changed: [changed] + furtherChanges)
    try AtomicFile.write(config.text(.sorted), to: FilePath.join(folder, configName))
  }

  private static func config(
    _ composition: Composition, maximumLength: Int?, changed: [[(name: String, json: String)]]
  ) throws -> JSONValue {
    let adapters = try zip(composition.adapters, changed).map { adapter, changed -> JSONValue in
      var hyperparameters = object(adapter.hyperparameters)
      for (name, json) in changed { hyperparameters[name] = try JSONValue.parse(json) }
      return ["plugin": .string(adapter.plugin), "hyperparameters": .object(hyperparameters)]
    }
    var own = JSONObject()
    own["format"] = 1
    own["ptune_version"] = .string(HostTable.version)
    own["base"] = [
      "plugin": .string(composition.base.plugin),
      "hyperparameters": .object(object(composition.base.hyperparameters)),
      "weights_sha256": .string(composition.checkpoint.fingerprint.weights),
    ]
    own["adapter"] = adapters[0]
    if adapters.count > 1 { own["further_adapters"] = .array(Array(adapters.dropFirst())) }
    if let selector = composition.selector {
      own["selector"] = [
        "plugin": .string(selector.plugin), "hyperparameters": .object(object(selector.hyperparameters)),
      ]
    }
    own["tasks"] = .array(
      composition.tasks.map { task in
        [
          "name": .string(task.name),
          "head": [
            "plugin": .string(task.head.plugin),
            "hyperparameters": .object(object(task.head.hyperparameters)),
          ],
          "data": .object(columns(task.data)),
        ]
      })
    own["maximum_length"] = maximumLength.map { .int($0) } ?? .null
    if !composition.usesTokenTypes { own["token_types"] = false }
    own["plugins"] = .array(
      composition.plugins.map {
        [
          "kind": .string($0.kind.rawValue), "name": .string($0.name), "version": .string($0.version),
          "file": .string($0.file),
        ]
      })
    var config = JSONObject()
    config["base_model_name_or_path"] = .string(composition.modelName)
    config["ptune"] = .object(own)
    return .object(config)
  }

  private static func object(_ hyperparameters: [String: HyperparameterValue]) -> JSONObject {
    var object = JSONObject()
    for (name, value) in hyperparameters.sorted(by: { $0.key < $1.key }) {
      object[name] =
        switch value {
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .bool(let value): .bool(value)
        case .string(let value): .string(value)
        case .strings(let values): .array(values.map { .string($0) })
        }
    }
    return object
  }

  private static func columns(_ data: DataSpec) -> JSONObject {
    var object = JSONObject()
    object["text"] = .string(data.text.value)
    if let pair = data.textPair { object["text_pair"] = .string(pair.value) }
    object["label"] = .string(data.label.value)
    if let template = data.template { object["template"] = .string(template.value.source) }
    if let template = data.chatTemplate { object["chat_template"] = .string(template.value) }
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

extension AdapterFolder {
  /// The file of an adapter's tensors.
  ///
  /// - Throws: ``TrainingError/notAnAdapter(folder:reason:)`` if there is only one of another format.
  static func weights(in folder: String) throws(TrainingError) -> String {
    let path = FilePath.join(folder, weightsName)
    let pickle = "adapter_model.bin"
    guard FileSystem.isFile(path) || !FileSystem.isFile(FilePath.join(folder, pickle)) else {
      throw .notAnAdapter(
        folder: folder,
        reason: "it has no \(weightsName), only \(pickle); load it with PEFT and save it again")
    }
    return path
  }

  /// Loads the trained values into a composition made from this adapter.
  ///
  /// - Parameters:
  ///   - newTasks: tasks that the composition has besides; then what is loaded is frozen, and what these tasks have for
  ///     themselves keeps its initial values.
  ///   - names: what tasks of the composition are called here, where the name differs.
  /// - Throws: ``TrainingError/tensor(file:name:reason:)``, ``TrainingError/foreignTensor(file:name:reason:)``,
  ///   `SafetensorsError` or `FileError`.
  func load(into composition: Composition, adding newTasks: [String] = [], names: [String: String] = [:])
    throws
  {
    let file = try SafetensorsFile(try Self.weights(in: path))
    func wrong(_ name: String, _ reason: String) -> TrainingError {
      places == nil
        ? .tensor(file: file.path, name: name, reason: reason)
        : .foreignTensor(file: file.path, name: name, reason: reason)
    }
    var unused = Set(file.names.filter { !replacedWeights.stores($0) && !ignored.contains($0) })
    for parameter in composition.model.parameters {
      let saved = parameter.savedName(names)
      let place = places.map { $0[saved] ?? .adapter(saved) } ?? .adapter(saved)
      guard let (shape, values) = try place.read(file, composition.checkpoint) else {
        if newTasks.contains(where: { parameter.belongs(to: $0) }) { continue }
        throw wrong(place.name, "is missing")
      }
      guard shape == parameter.shape else {
        throw wrong(place.name, "has the shape \(shape), not \(parameter.shape)")
      }
      for (index, value) in values.enumerated() { parameter.values[index] = value }
      parameter.isFrozen = !newTasks.isEmpty
      unused.remove(place.name)
    }
    if let name = unused.sorted().first { throw wrong(name, "is not known to this adapter") }
  }
}

extension AdapterFolder {
  /// All tuning methods, in their order.
  public var adapters: [ComponentChoice] { [adapter] + further }
}

extension TrainableParameter {
  /// The name of its tensor in an adapter folder.
  ///
  /// - Parameter tasks: what tasks are called there, where the name differs.
  fileprivate func savedName(_ tasks: [String: String]) -> String {
    if owner.hasPrefix(Composer.furtherOwner) { return "\(owner).\(name)" }
    let name = owner == "adapter" ? name : "\(owner).\(name)"
    for (own, saved) in tasks {
      for part in ["head", "tasks"] where name.hasPrefix("\(part).\(own).") {
        return "\(part).\(saved)" + name.dropFirst("\(part).\(own)".utf8.count)
      }
    }
    return name
  }

  /// Whether a task has it for itself.
  fileprivate func belongs(to task: String) -> Bool {
    owner == "head.\(task)" || name.hasPrefix("tasks.\(task).")
  }
}
