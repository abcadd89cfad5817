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
  ///   - compute: what products with the base model's weights round to.
  ///   - log: takes messages of components.
  /// - Throws: ``TrainingError``, and what is wrong with the files, the plugins or the base model.
  public init(
    _ path: String, baseModel: String?, without: [String] = [], threads: Int?,
    compute: ComputePrecision = .f32, registry: PluginRegistry,
    resolver: ModelResolver = ModelResolver(), log: @escaping (_ level: Int32, _ message: String) -> Void
  ) throws {
    let opened = try OpenedAdapter(path, baseModel: baseModel, resolver: resolver, log: log)
    folder = opened.folder
    let names = opened.folder.adapters.map(\.plugin)
    if let unknown = without.first(where: { !names.contains($0) }) {
      throw TrainingError.unusable(
        "\(opened.folder.path) has no adapter '\(unknown)'; it has \(names.joined(separator: ", "))",
        help: Suggestion.nearest(unknown, among: names).map { "did you mean '\($0)'?" }
          ?? "name one that it has with --without")
    }
    let blueprint = Blueprint(
      base: folder.base, modelName: opened.modelName, modelFolder: opened.modelFolder,
      tokenizerFolder: opened.tokenizerFolder, adapter: folder.adapter, further: folder.further,
      without: Set(without), selector: folder.selector,
      tasks: folder.tasks,
      maximumLength: folder.maximumLength, usesTokenTypes: folder.usesTokenTypes,
      uncountedToken: folder.uncountedToken,
      threads: threads ?? Processors.count, compute: compute, seed: 0)
    let composer = try Composer(
      factory: ComponentFactory(registry: registry), blueprint: blueprint, checkpoint: opened.checkpoint)
    composition = try composer.compose(counts: TokenCounts(), log: log)
    try folder.load(into: composition)
  }

  /// The number of a task.
  ///
  /// - Parameter name: its name; nil for the only one.
  /// - Throws: ``TrainingError/unknownTask(_:known:)`` or ``TrainingError/ambiguousTask(known:)``.
  public func task(named name: String?) throws -> Int {
    let known = folder.tasks.map(\.name)
    guard let name else {
      guard known.count == 1 else { throw TrainingError.ambiguousTask(known: known) }
      return 0
    }
    guard let task = known.firstIndex(of: name) else { throw TrainingError.unknownTask(name, known: known) }
    return task
  }

  /// Measures a task on a file of labelled rows.
  ///
  /// - Parameter data: the columns, and the file as `train`.
  /// - Throws: `TextError` or ``TrainingError`` with file and line; `EngineFailure`.
  public func evaluate(
    _ data: DataSpec, task: Int, batchSize: Int, progress: (_ done: Int, _ count: Int) throws -> Void
  ) throws -> EvaluationReport {
    let path = data.train.value
    let source = RowSource(
      data: data, tokenizer: composition.tokenizer, chat: composition.chat,
      reading: composition.reading(task: task), readToken: folder.readToken, endsTexts: folder.endsTexts,
      vocabularySize: composition.model.facts?.vocabularySize)
    let rows = try source.rows(of: path, labelled: true)
    let examples = try composition.examples(rows, task: task, path: path, keepingRows: true)
    return try composition.evaluate(examples, task: task, batchSize: batchSize) {
      try progress($0, examples.count)
    }
  }
}
