/// What ``AdapterRun/exportPEFT(task:to:)`` wrote.
public struct PEFTExport: Sendable {
  /// PEFT's name of the method: "PREFIX_TUNING".
  public let method: String
  /// PEFT's name of the task: "SEQ_CLS".
  public let taskType: String
  /// The class of transformers that the base model has to be loaded with: "AutoModelForCausalLM".
  public let modelClass: String
  /// The tasks, in the order of PEFT's ids.
  public let tasks: [String]
  /// How many labels the base model has to be loaded with; nil where that is fixed.
  public let labels: Int?
  /// The `problem_type` that the base model has to be loaded with to be trained on; nil where there is none.
  public let problemType: String?
  /// Whether the base model's own head has other shapes, which transformers has to be told to pass over.
  public let replacesHead: Bool
  /// The base model, as the folder names it.
  public let baseModel: String
  /// The tensors with their shapes.
  public let tensors: [(name: String, shape: [Int])]
  /// What predictions in Python need beside the folder.
  public let warnings: [String]
}

extension AdapterRun {
  /// Writes a folder that PEFT loads, with what this adapter computes.
  ///
  /// - Parameters:
  ///   - task: the number of the only task to write; nil for all of them.
  ///   - output: the folder; new, empty, or with an adapter of PEFT's.
  /// - Throws: ``TrainingError/inexpressible(folder:reason:help:)`` for what PEFT does not have;
  ///   ``TrainingError/unusable(_:help:)`` for another folder, or if this is an adapter of PEFT's; `FileError`.
  public func exportPEFT(task: Int?, to output: String) throws -> PEFTExport {
    guard folder.places == nil else {
      throw TrainingError.unusable(
        "\(folder.path) is an adapter of PEFT's already", help: "copy the folder as it is")
    }
    let expression = try PEFTExpression(composition, task: task, folder: folder.path)
    return try PEFTWriter(expression: expression, composition: composition).write(to: output)
  }
}
