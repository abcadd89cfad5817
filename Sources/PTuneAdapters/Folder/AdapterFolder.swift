import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// The result of a training on disk: `adapter_config.json` and `adapter_model.safetensors`.
///
/// Where PEFT can express the adapter, its tensors and the keys of its config are PEFT's, and what ptune adds to the config
/// is under `auto_mapping.ptune`. PEFT looks at `auto_mapping` only where there is no task type, and hands it on when it
/// saves the adapter again; of an unknown key it would warn each time. Otherwise the adapter's tensors stand under
/// their own names, those of a selector under `selector.NAME`, those of a task's head under `head.TASK.NAME`, and what
/// ptune adds is under the key `ptune`.
public struct AdapterFolder: Sendable {
  static let configName = AdapterFolderFiles.config
  static let weightsName = AdapterFolderFiles.weights

  /// Where it is.
  public let path: String
  /// The base model as it was named in training.
  public let modelName: String
  /// The weights the adapter was trained on; nil where the folder does not say.
  public let fingerprint: String?
  /// What it consists of; the data files of its tasks are not recorded.
  package internal(set) var blueprint: Blueprint<ComponentChoice>
  /// The plugins of the training.
  public let plugins: [UsedPlugin]
  /// What made its virtual tokens in training, if that is in the folder.
  package var encoder: FoldedEncoder?
  /// Where the values of parameters are, by the names that ptune saves them under; nil: under these names.
  var places: [String: TensorPlace]?
  /// Tensors of its file that have no effect.
  var ignored: Set<String> = []
  /// Weights of the base model that it replaces.
  var replacedWeights = WeightReplacements.none
}

extension AdapterFolder {
  /// Writes the present parameters of a composition: all files at once, so that a crash leaves the old or the new ones.
  ///
  /// - Throws: `FileError` if it cannot be written, `EngineFailure` if the adapter cannot state what to save.
  package static func write(_ composition: Composition, maximumLength: Int?, to folder: String) throws {
    let document = AdapterDocument(
      composition: composition,
      adapters: try composition.adapters.indices.map { try TrainedAdapter(composition, $0) },
      tasks: Array(composition.tasks.indices), maximumLength: maximumLength)
    try AdapterWriter(document, folder: folder).write(to: folder, followsLink: false)
  }
}

extension AdapterFolder {
  /// The file of an adapter's tensors.
  ///
  /// - Throws: ``AdapterError/notAnAdapter(folder:reason:)`` if there is only one of another format.
  package static func weights(in folder: String) throws(AdapterError) -> String {
    let path = FilePath.join(folder, weightsName)
    let pickle = "adapter_model.bin"
    guard FileSystem.isFile(path) || !FileSystem.isFile(FilePath.join(folder, pickle)) else {
      throw .notAnAdapter(
        folder: folder,
        reason: "it has no \(weightsName), only \(pickle); load it with PEFT and save it again")
    }
    return path
  }

  /// Opens the file of an adapter's tensors.
  ///
  /// - Throws: ``AdapterError/notAnAdapter(folder:reason:)``, ``AdapterError/noValues(file:tensor:)`` for a file without
  ///   values, `SafetensorsError` or `FileError`.
  static func open(_ folder: String) throws -> SafetensorsFile {
    let file = try SafetensorsFile(try weights(in: folder))
    let empty = file.tensors.first { $0.shape.contains(0) }
    guard !file.tensors.isEmpty, empty == nil else {
      throw AdapterError.noValues(file: file.path, tensor: empty?.name)
    }
    return file
  }

  /// Loads the trained values into a composition made from this adapter.
  ///
  /// - Parameters:
  ///   - newTasks: additional tasks of the composition; then what is loaded is frozen, and what these tasks have for
  ///     themselves keeps its initial values.
  ///   - names: what tasks of the composition are called here, where the name differs.
  ///   - unfolded: whether the composition has the encoder that was folded away.
  /// - Throws: ``AdapterError/tensor(file:name:reason:)``, ``AdapterError/foreignTensor(file:name:reason:)``,
  ///   `SafetensorsError` or `FileError`.
  package func load(
    into composition: Composition, adding newTasks: [String] = [], names: [String: String] = [:],
    unfolded: Bool = false
  ) throws {
    let file = try Self.open(path)
    let encoder = unfolded ? try SafetensorsFile(FilePath.join(path, FoldedEncoder.fileName)) : nil
    func wrong(_ name: String, _ reason: String) -> AdapterError {
      places == nil
        ? .tensor(file: file.path, name: name, reason: reason)
        : .foreignTensor(file: file.path, name: name, reason: reason)
    }
    var unused = Set(file.names.filter { !replacedWeights.stores($0) && !ignored.contains($0) })
    if encoder != nil { unused.subtract(adapterTensors(file)) }
    for parameter in composition.model.parameters {
      if let encoder, parameter.owner == ParameterOwner.adapter {
        guard encoder.tensor(parameter.name)?.shape == parameter.shape else {
          throw AdapterError.tensor(
            file: encoder.path, name: parameter.name,
            reason: "is missing, or not of the shape \(parameter.shape)")
        }
        parameter.values.update(from: try encoder.floats(parameter.name).array, count: parameter.count)
        continue
      }
      let saved = parameter.savedName(names)
      let place = places.map { $0[saved] ?? .adapter(saved) } ?? .adapter(saved)
      guard let (shape, values) = try place.read(file, composition.checkpoint) else {
        if newTasks.contains(where: { parameter.belongs(to: $0) }) { continue }
        throw otherVersion(parameter, composition) ?? wrong(place.name, "is missing")
      }
      guard shape == parameter.shape else {
        throw otherVersion(parameter, composition)
          ?? wrong(place.name, "has the shape \(shape), not \(parameter.shape)")
      }
      guard values.allSatisfy(\.isFinite) else {
        throw wrong(place.name, "contains a value that is not a finite number")
      }
      for (index, value) in values.enumerated() { parameter.values[index] = value }
      parameter.isFrozen = !newTasks.isEmpty
      unused.remove(place.name)
    }
    if let name = unused.sorted().first { throw wrong(name, "is not known to this adapter") }
  }

  /// What to say of a parameter that the folder does not hold as it is declared, where the plugin that declares it is of
  /// another version than in training; nil where it is the same one, so that the file is at fault.
  private func otherVersion(_ parameter: TrainableParameter, _ composition: Composition) -> AdapterError? {
    let kind: ComponentKind =
      parameter.owner == ParameterOwner.selector
      ? .selector : parameter.owner.hasPrefix(ParameterOwner.heads) ? .taskHead : .adapter
    for present in composition.plugins where present.kind == kind {
      let before = plugins.first { $0.kind == kind && $0.name == present.name }
      guard let before, before.version != present.version else { continue }
      return .otherParameters(
        folder: path, parameter: parameter.name, component: "\(kind.noun) '\(present.name)'",
        present: present.version, trained: before.version, file: present.file)
    }
    return nil
  }

  /// The tensors of its file that are the tuning method's, without those of heads and of the base model.
  private func adapterTensors(_ file: SafetensorsFile) -> [String] {
    file.names.filter { name in
      ![ParameterOwner.heads, ParameterOwner.selector + ".", ParameterOwner.laterAdapters, "base_model."]
        .contains(where: name.hasPrefix) && !ignored.contains(name)
    }
  }

  /// Whether its encoder still makes the virtual tokens of its file.
  ///
  /// - Throws: `SafetensorsError`, `FileError` or ``AdapterError``.
  package func encoderIsCurrent() throws -> Bool {
    guard let encoder, FileSystem.isFile(FilePath.join(path, FoldedEncoder.fileName)) else { return false }
    let file = try SafetensorsFile(try Self.weights(in: path))
    return try encoder.makesTensors(adapterTensors(file), of: file)
  }
}

extension AdapterFolder {
  /// The tuning methods, in their order.
  public var adapters: [ComponentChoice] { blueprint.adapters }
  /// What weighs the entries of a pool; nil for an adapter without one.
  public var selector: ComponentChoice? { blueprint.selector }
  /// The tasks, with how their rows are read.
  public var tasks: [ComposedTask] { blueprint.tasks }
}

extension TrainableParameter {
  /// The name of its tensor in an adapter folder.
  ///
  /// - Parameter tasks: what tasks are called there, where the name differs.
  fileprivate func savedName(_ tasks: [String: String]) -> String {
    if ParameterOwner.laterAdapter(in: owner) != nil { return "\(owner).\(name)" }
    let name = owner == ParameterOwner.adapter ? name : "\(owner).\(name)"
    for (own, saved) in tasks {
      for part in [ParameterOwner.heads, ParameterOwner.tasks] where name.hasPrefix("\(part)\(own).") {
        return "\(part)\(saved)" + name.dropFirst("\(part)\(own)".utf8.count)
      }
    }
    return name
  }

  /// Whether a task has it for itself.
  fileprivate func belongs(to task: String) -> Bool {
    owner == ParameterOwner.head(task) || name.hasPrefix(ParameterOwner.task(task))
  }
}
