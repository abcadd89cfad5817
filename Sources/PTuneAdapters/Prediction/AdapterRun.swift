import PTune
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText

/// A trained adapter on its base model, ready to evaluate and to predict.
public final class AdapterRun {
  /// What was trained.
  public let folder: AdapterFolder
  /// What was put together.
  public let composition: Composition

  /// Loads an adapter folder, ptune's own or one that PEFT wrote.
  ///
  /// - Parameters:
  ///   - path: the folder.
  ///   - baseModel: a folder or a name, if the base model is not where it was in training.
  ///   - without: the adapters of the folder that are switched off.
  ///   - threads: threads to compute with; nil for all cores.
  ///   - compute: precision of products with the base model's weights.
  ///   - log: takes messages of components.
  /// - Throws: ``AdapterError``, and what is wrong with the files, the plugins or the base model.
  public init(
    _ path: String, baseModel: String?, without: [String] = [], threads: Int?,
    compute: ComputePrecision = .f32, registry: PluginRegistry,
    resolver: ModelResolver = ModelResolver(), log: @escaping (_ level: Int32, _ message: String) -> Void
  ) throws {
    let opened = try OpenedAdapter(path, baseModel: baseModel, resolver: resolver, log: log)
    folder = opened.folder
    let names = opened.folder.adapters.map(\.plugin)
    if let unknown = without.first(where: { !names.contains($0) }) {
      throw AdapterError.unknownAdapter(folder: opened.folder.path, unknown, known: names)
    }
    var options = CompositionOptions(
      modelName: opened.modelName, modelFolder: opened.modelFolder, threads: threads, compute: compute)
    options.tokenizerFolder = opened.tokenizerFolder
    options.without = Set(without)
    let path = opened.folder.path
    options.storedBytes = try FileSystem.entries(of: path).filter { $0.hasSuffix(".safetensors") }
      .reduce(0) { $0 + (FileSystem.size(FilePath.join(path, $1)) ?? 0) }
    let factory = ComponentFactory(registry: registry)
    factory.expect(folder.plugins, of: folder.path, log: log)
    let composer = try Composer(
      factory: factory, blueprint: registry.inventory.checked(folder.blueprint), options: options,
      checkpoint: opened.checkpoint)
    composition = try composer.compose(counts: TokenCounts(), log: log)
    try folder.load(into: composition)
  }

  /// The number of a task.
  ///
  /// - Parameter name: its name; nil for the only one.
  /// - Throws: ``AdapterError/unknownTask(_:known:)`` or ``AdapterError/ambiguousTask(known:)``.
  public func task(named name: String?) throws -> Int {
    let known = folder.tasks.map(\.name)
    guard let name else {
      guard known.count == 1 else { throw AdapterError.ambiguousTask(known: known) }
      return 0
    }
    guard let task = known.firstIndex(of: name) else { throw AdapterError.unknownTask(name, known: known) }
    return task
  }

  /// Measures a task on a file of labelled rows.
  ///
  /// - Parameter data: the columns, and the file as `train`.
  /// - Throws: `TextError` or ``AdapterError`` with file and line; `EngineFailure`.
  public func evaluate(
    _ data: DataSpec, task: Int, batchSize: Int, progress: (_ done: Int, _ count: Int) throws -> Void
  ) throws -> EvaluationReport {
    let path = data.train.value
    let rows = try composition.source(task: task, data: data).rows(of: path, labelled: true)
    let examples = try composition.examples(rows, task: task, path: path, keepingRows: true)
    return try composition.evaluate(examples, task: task, batchSize: batchSize) {
      try progress($0, examples.count)
    }
  }
}
