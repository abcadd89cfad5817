import PTuneComposition
import PTuneEngine
import PTuneFormats

/// Writes adapter folders, PEFT's layout where PEFT can express the adapter and ptune's own where it cannot.
struct AdapterWriter {
  private let document: AdapterDocument
  /// What is in the adapter's file.
  let tensors: [TensorData]
  private let config: JSONValue

  /// In ptune's own layout `peft_type` is a sentence that PEFT shows when it refuses the folder: it has no such method.
  static let foreignType = "PTUNE"

  /// An adapter in the layout that PEFT loads.
  init(_ document: AdapterDocument, _ expression: PEFTExpression) throws {
    let writer = PEFTWriter(expression: expression, document: document)
    (self.document, tensors, config) = (document, try writer.tensors(), try writer.config())
  }

  /// An adapter in the layout that suits it.
  init(_ document: AdapterDocument, folder: String) throws {
    do {
      try self.init(
        document, PEFTExpression(document.composition, document.first.choice, task: nil, folder: folder))
    } catch PEFTError.inexpressible(_, let reason, _) {
      self.init(document, inexpressible: reason)
    }
  }

  /// In ptune's own layout: tensors of the adapter under their own names, of the selector as `selector.NAME`, of a task's
  /// head as `head.TASK.NAME`.
  private init(_ document: AdapterDocument, inexpressible reason: String) {
    let composition = document.composition
    func data(_ tensors: [Model.SavedTensor], _ prefix: String = "") -> [TensorData] {
      tensors.map { TensorData(name: prefix + $0.name, shape: $0.shape, floats: $0.values) }
    }
    tensors =
      data(document.first.tensors)
      + document.adapters.dropFirst().flatMap {
        data($0.tensors, ParameterOwner.laterAdapter($0.choice.plugin) + ".")
      }
      + data(composition.model.exportSelector(), ParameterOwner.selector + ".")
      + document.tasks.flatMap {
        data(composition.model.exportHead(task: $0), ParameterOwner.head(composition.tasks[$0].name) + ".")
      }
    config = [
      "base_model_name_or_path": .string(composition.modelName),
      "peft_type": .string("\(Self.foreignType): PEFT cannot express this adapter, since \(reason)"),
      "ptune": .object(document.members),
    ]
    self.document = document
  }

  /// Writes all files at once: after a crash the folder holds the old adapter or the new one. Other files in it stay.
  ///
  /// - Throws: `FileError` or `SafetensorsError`.
  func write(to folder: String, followsLink: Bool = true) throws {
    let files = try AtomicFolder(folder, followsLink: followsLink)
    let staging = files.staging
    func path(_ name: String) -> String { FilePath.join(staging, name) }
    do {
      try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: path(AdapterFolder.weightsName))
      if document.first.encoder != nil {
        try SafetensorsWriter.write(
          FoldedEncoder.tensors(document.composition), metadata: ["format": "pt"],
          to: path(FoldedEncoder.fileName))
      }
      // As PEFT writes it.
      let style = JSONStyle(sortedKeys: true, trailingNewline: false)
      try AtomicFile.write(config.text(style), to: path(AdapterFolder.configName))
    } catch let error as FileError {
      // The user knows the folder that the files are for, and not the one where they wait.
      throw FileError(
        error.operation, error.path.replacing(staging, with: folder), code: error.code)
    }
    try files.commit(dropping: [FoldedEncoder.fileName, PEFTNames.fileName])
  }
}
