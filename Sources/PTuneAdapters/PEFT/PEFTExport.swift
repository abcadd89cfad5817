import PTuneComposition
import PTuneFormats
import PTunePlugins

/// What ``AdapterRun/exportPEFT(task:to:)`` wrote.
public struct PEFTExport: Sendable {
  /// PEFT's name of the method: "PREFIX_TUNING".
  public let method: String
  /// PEFT's name of the task: "SEQ_CLS".
  public let taskType: String
  /// How the base model has to be loaded in Python.
  public let loading: PEFTLoading
  /// The tasks, in the order of PEFT's ids.
  public let tasks: [String]
  /// The tensors with their shapes.
  public let tensors: [(name: String, shape: [Int])]
  /// What predictions in Python need beside the folder.
  public let warnings: [String]
}

extension AdapterRun {
  /// Writes a folder that PEFT loads, with what this adapter computes.
  ///
  /// A prefix in hidden form is written as keys and values, which compute the same.
  ///
  /// - Parameters:
  ///   - task: the number of the only task to write; nil for all of them.
  ///   - entries: the entries of a pool that become a prompt for all texts, from 0; nil for an adapter without one.
  ///   - output: the folder; new, empty, or with an adapter of PEFT's.
  /// - Throws: ``PEFTError`` for what PEFT does not have, or if this is an adapter of PEFT's; ``ExportTargetError`` for
  ///   another folder; `FileError`.
  public func exportPEFT(task: Int?, entries: [Int]? = nil, to output: String) throws -> PEFTExport {
    guard folder.places == nil || folder.fingerprint != nil || entries != nil else {
      throw PEFTError.isPEFT(folder: folder.path)
    }
    var adapter = try TrainedAdapter(composition, 0)
    if let entries {
      adapter = try adapter.fixed(entries: entries, task: composition.tasks[task ?? 0])
    }
    // What the encoder made is what is exported.
    adapter = TrainedAdapter(adapter.choice, adapter.tensors)
    adapter = try adapter.inKeyValueForm(composition)
    let expression = try PEFTExpression(composition, adapter.choice, task: task, folder: folder.path)
    try ExportFolder.check(output)
    let document = AdapterDocument(
      composition: composition, adapters: [adapter], tasks: expression.tasks,
      maximumLength: folder.blueprint.maximumLength, isExport: true)
    let writer = try AdapterWriter(document, expression)
    try writer.write(to: output)
    let tensors = writer.tensors
    return PEFTExport(
      method: expression.method.type, taskType: expression.type.rawValue,
      loading: PEFTLoading(expression, composition, tensors),
      tasks: expression.tasks.map { composition.tasks[$0].name },
      tensors: tensors.map { ($0.name, $0.shape) }, warnings: expression.warnings(composition))
  }
}

/// What ``AdapterRun/mergeVirtualTokens(task:entries:to:)`` wrote.
public struct MergedExport: Sendable {
  /// The tokens that were added, in their order.
  public let tokens: [String]
  /// The id of the first one; the others follow.
  public let firstID: Int
  /// What to give to a tokenizer that adds no special tokens itself; `{text}` stands for the text.
  public let pattern: String
}

extension AdapterRun {
  /// Writes the base model with the rows of a prompt at the input as tokens of its vocabulary, and with the task's head, so
  /// that any engine computes what the adapter does for a text in which these tokens stand.
  ///
  /// - Parameters:
  ///   - task: the number of the task; nil for the only one.
  ///   - entries: the entries of a pool that are the prompt; nil for an adapter without one.
  ///   - output: a new or an empty folder; a new file's name that ends on `.gguf` where the base model is such a file.
  /// - Throws: ``MergeError`` or ``FixedPromptError`` for an adapter without such a prompt,
  ///   ``PEFTError/inexpressible(folder:reason:help:)`` for a head that transformers' class does not have;
  ///   `FileError`, `SafetensorsError` or `GGUFError`.
  public func mergeVirtualTokens(task: Int?, entries: [Int]? = nil, to output: String) throws -> MergedExport
  {
    let task = try task ?? self.task(named: nil)
    let composed = composition.tasks[task]
    guard composition.adapters.count == 1 else {
      throw MergeError.severalAdapters(composition.adapters.map(\.plugin))
    }
    guard folder.replacedWeights.isEmpty else {
      throw MergeError.replacesWeights(folder: folder.path, folder.replacedWeights.names)
    }
    let adapter = try TrainedAdapter(composition, 0).fixed(entries: entries, task: composed)
    let tokens = try VirtualTokens(adapter, tokenizer: composition.tokenizer)
    var expression: PEFTExpression?
    if composed.head.plugin != "causal-lm" {
      // Where the rows stand is the text's business here.
      var choice = adapter.choice
      choice.hyperparameters["placement"] = .string("start")
      expression = try PEFTExpression(composition, choice, task: task, folder: folder.path)
    }
    if !ModelResolver.isGGUF(composition.modelFolder) {
      try MergedModel(composition: composition, tokens: tokens, expression: expression).write(to: output)
    } else if expression == nil {
      try MergedGGUF(path: composition.modelFolder, tokens: tokens).write(to: output)
    } else {
      throw MergeError.noPlaceForHead(composed.head.plugin, file: composition.modelFolder)
    }
    return MergedExport(
      tokens: tokens.names, firstID: tokens.first,
      pattern: tokens.pattern(composition.tokenizer, template: composed.data.template?.value))
  }
}

extension PEFTExpression {
  /// What predictions in Python need beside the folder.
  fileprivate func warnings(_ composition: Composition) -> [String] {
    var warnings = tasks.compactMap { task -> String? in
      composition.tasks[task].data.template.map {
        "PEFT has no templates: fill '\($0.value.source)' in before the text is tokenized"
      }
    }
    let family = composition.checkpoint.config.modelType ?? ""
    if type == .questionAnswering, ["llama", "qwen2"].contains(family),
      composition.checkpoint.weights.has("model.embed_tokens.weight")
    {
      warnings.append(
        "transformers' class for questions calls a \(family) model 'transformer' and finds none of the weights that "
          + "are called 'model.' in \(composition.modelName): load them into 'base.transformer' by hand")
    }
    return warnings
  }
}

/// The folder that an export goes to.
enum ExportFolder {
  /// - Throws: ``ExportTargetError`` for a folder whose content should not be lost.
  static func check(_ output: String) throws {
    guard FileSystem.exists(output) else { return }
    guard FileSystem.isFolder(output) else {
      throw ExportTargetError.notAFolder(output)
    }
    let config = FilePath.join(output, AdapterFolder.configName)
    guard try FileSystem.isFile(config) || FileSystem.entries(of: output).isEmpty else {
      throw ExportTargetError.holdsOtherFiles(output)
    }
    guard FileSystem.isFile(config), let own = AdapterConfigReader.own(try JSONValue.read(config)) else {
      return
    }
    guard own["exported"]?.boolValue == true else {
      throw ExportTargetError.holdsTrainedAdapter(output)
    }
  }
}
