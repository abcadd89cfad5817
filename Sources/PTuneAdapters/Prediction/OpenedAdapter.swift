import CPTune
import PTuneComposition
import PTuneFormats
import PTuneText

/// An adapter folder, ptune's own or PEFT's, and the base model that it is used on.
package struct OpenedAdapter {
  /// What the folder says.
  package let folder: AdapterFolder
  /// The base model as the user or the adapter names it.
  let modelName: String
  /// The base model's folder.
  let modelFolder: String
  /// The folder of a tokenizer that the adapter was trained with, beside the base model's.
  let tokenizerFolder: String?
  /// The base model's files, with what the adapter puts in the place of its weights.
  package let checkpoint: ModelCheckpoint

  /// Reads the adapter's config, and opens the base model.
  ///
  /// - Parameters:
  ///   - path: the folder, or a name in the Hugging Face cache.
  ///   - baseModel: a folder or a name, if the base model is not where it was in training.
  ///   - log: takes warnings.
  /// - Throws: ``AdapterError``, and what is wrong with the files of the adapter or the base model.
  package init(
    _ path: String, baseModel: String?, resolver: ModelResolver,
    log: (_ level: Int32, _ message: String) -> Void
  ) throws {
    let stored = try StoredAdapter(path, resolver: resolver)
    let path = stored.path
    guard let name = try baseModel ?? stored.modelName() else {
      throw AdapterError.noBaseModel(folder: path)
    }
    modelName = name
    do {
      modelFolder = try resolver.resolve(name).folder
    } catch let error as ModelError where baseModel == nil {
      throw AdapterError.baseNotFound(adapter: path, error)
    }
    let opened = try ModelCheckpoint(folder: modelFolder)
    if let own = stored.own, !stored.isPEFT {
      folder = own
    } else {
      let reader = PEFTReader(config: stored.peft, checkpoint: opened, own: stored.own)
      folder = try reader.adapter(modelName: name) {
        log(Int32(PTUNE_LOG_WARNING), $0)
      }
    }
    // What it was trained with is saved beside a PEFT adapter: it may have tokens of its own.
    tokenizerFolder = stored.isPEFT && TokenizerLoader.hasTokenizer(path) ? path : nil
    if tokenizerFolder != nil {
      log(Int32(PTUNE_LOG_INFO), "\(path) has a tokenizer, which is used in the place of the base model's")
    }
    if let fingerprint = folder.fingerprint, fingerprint != opened.fingerprint.weights {
      throw AdapterError.otherBase(adapter: path, trainedOn: folder.modelName, model: name)
    }
    checkpoint = ModelCheckpoint(opened, replacing: folder.replacedWeights)
  }

  /// Itself, if training can go on from it.
  ///
  /// - Throws: ``AdapterError/untrainable(folder:weights:)`` for one that replaces weights of the base model, which ptune does not
  ///   save.
  package func trainable() throws(AdapterError) -> OpenedAdapter {
    guard folder.replacedWeights.isEmpty else {
      throw .untrainable(folder: folder.path, weights: folder.replacedWeights.names)
    }
    return self
  }
}

extension AdapterFolder {
  /// Reads an adapter folder and opens its base model, and nothing more.
  ///
  /// - Throws: what ``AdapterRun`` throws for a folder that it cannot use.
  package static func check(_ path: String, baseModel: String) throws {
    _ = try OpenedAdapter(path, baseModel: baseModel, resolver: ModelResolver()) { _, _ in }
  }
}
