import PTuneComposition
import PTuneFormats
import PTunePlugins

/// How the base model of an adapter has to be loaded in Python, so that the adapter fits it.
public struct PEFTLoading: Sendable {
  /// The class of transformers: "AutoModelForCausalLM".
  public let modelClass: String
  /// The base model, as the folder names it.
  public let baseModel: String
  /// How many labels it has to be loaded with; nil where that is fixed.
  public let labels: Int?
  /// The names of the labels in the order of their classes; empty where they have none.
  public let labelNames: [String]
  /// The `problem_type` that it has to be loaded with to be trained on; nil where there is none.
  public let problemType: String?
  /// Whether the base model's own head has other shapes, which transformers has to be told to pass over.
  public let replacesHead: Bool

  package init(_ expression: PEFTExpression, _ composition: Composition, _ tensors: [TensorData]) {
    let task = composition.tasks[expression.tasks[0]]
    modelClass = expression.type.modelClass
    baseModel = PEFTWriter.hubName(composition.modelName)?.repository ?? composition.modelName
    labels =
      switch task.head.plugin {
      case "regression": 1
      // The first and the last token of an answer.
      case "extractive-qa": 2
      default: task.labels.isEmpty ? nil : task.labels.count
      }
    labelNames = task.labels
    problemType = Self.problemType(task)
    replacesHead = tensors.contains { tensor in
      let prefix = expression.method.modulePrefix
      guard tensor.name.hasPrefix(prefix) else { return false }
      let name = String(tensor.name.dropFirst(prefix.count))
      return composition.checkpoint.weights.shape(of: name).map { $0 != tensor.shape } ?? false
    }
  }

  /// `problem_type` of transformers' config for a task; nil where there is none.
  static func problemType(_ task: ComposedTask) -> String? {
    switch (task.head.plugin, task.head.hyperparameters["multi_label"]) {
    case ("regression", _): "regression"
    case ("sequence-classification", .bool(true)): "multi_label_classification"
    case ("sequence-classification", _): "single_label_classification"
    default: nil
    }
  }

  /// The lines of Python that load an adapter.
  ///
  /// - Parameters:
  ///   - adapter: the folder, or a name on the hub.
  ///   - base: what stands for the base model; nil for what the folder names.
  public func python(_ adapter: String, base: String? = nil) -> String {
    func quoted(_ text: String) -> String { JSONValue.string(text).text(.line) }
    let options =
      (labels.map { ", num_labels=\($0)" } ?? "")
      + (labelNames.isEmpty
        ? "" : ", id2label=dict(enumerate(labels)), label2id={label: id for id, label in enumerate(labels)}")
      + (problemType.map { ", problem_type=\(quoted($0))" } ?? "")
      + (replacesHead ? ", ignore_mismatched_sizes=True" : "")
    let names = labelNames.isEmpty ? "" : "labels = [\(labelNames.map(quoted).joined(separator: ", "))]\n"
    return """
      from peft import PeftModel
      from transformers import \(modelClass)

      \(names)base = \(modelClass).from_pretrained(\(quoted(base ?? baseModel))\(options))
      model = PeftModel.from_pretrained(base, \(quoted(adapter)))
      """
  }
}
