import PTuneFormats
import PTunePlugins
import PTuneText

/// Makes an ``AdapterFolder`` of a folder that PEFT wrote, on the base model that it is for.
struct PEFTReader {
  /// Stands before the modules of the base model that PEFT saved with the adapter (`modules_to_save`).
  private static let modulePrefix = "base_model."

  let config: PEFTConfig
  let checkpoint: ModelCheckpoint

  /// Reads config and file; nothing but headers of weights.
  ///
  /// - Parameter warn: takes what is worth knowing but no error.
  /// - Throws: ``TrainingError``, or what is wrong with the adapter's file or the base model's config.
  func adapter(modelName: String, warn: (String) -> Void) throws -> AdapterFolder {
    let method = try config.method()
    let type = try config.taskType()
    let component = try method.component(config)
    let file = try SafetensorsFile(try AdapterFolder.weights(in: config.folder))
    let tasks = try config.tasks()

    let head = try PEFTHead(type, of: checkpoint.config, folder: config.folder) { module in
      let place = place(of: "\(module).weight", file)
      let info =
        if case .base = place { checkpoint.checkpoint.tensor(place.name) } else { file.tensor(place.name) }
      return info?.shape.first
    }
    var places = method.tensors(tasks)
    for (layer, module) in head.modules {
      for part in ["weight", "bias"] {
        for task in tasks {
          places["head.\(task).\(layer).\(part)"] = place(of: "\(module).\(part)", file)
        }
      }
    }
    let used = Set(places.values.map(\.name))
    let replaced = file.names.filter { $0.hasPrefix(Self.modulePrefix) && !used.contains($0) }
    let weights = try WeightReplacements(
      replaced.map { (name: String($0.dropFirst(Self.modulePrefix.count)), stored: $0) }, from: file,
      in: checkpoint.checkpoint)

    let unknown = config.unknownKeys(method)
    if !unknown.isEmpty {
      warn(
        "\(config.folder): \(AdapterFolder.configName) has keys that ptune does not know and does not use: "
          + unknown.joined(separator: ", "))
    }
    return AdapterFolder(
      path: config.folder, modelName: modelName, base: nil, fingerprint: nil, adapter: component,
      selector: nil, tasks: tasks.map { ComposedTask(name: $0, head: head.component, data: data) },
      maximumLength: nil, plugins: [], places: places, replacedWeights: weights)
  }

  /// Where a weight of a module is: in the adapter if PEFT saved it, else in the base model.
  private func place(of weight: String, _ file: SafetensorsFile) -> TensorPlace {
    let saved = Self.modulePrefix + weight
    let isBase = file.tensor(saved) == nil && checkpoint.checkpoint.tensor(weight) != nil
    return isBase ? .base(weight) : .adapter(saved)
  }

  /// PEFT knows nothing of columns.
  private var data: DataSpec {
    let place = RunPlace.file(FilePath.join(config.folder, AdapterFolder.configName), line: 1)
    return DataSpec(
      train: Located("", place), validation: nil, test: nil, format: nil, header: nil,
      text: Located("text", place), textPair: nil, label: Located("label", place), template: nil, fields: [:],
      maximumRows: nil)
  }
}
