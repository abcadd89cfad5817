import ArgumentParser
import PTuneFormats
import PTuneReport
import PTuneTraining

/// `ptune export`: writes a trained adapter as PEFT has it.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a trained adapter as a folder that PEFT loads.",
    discussion: """
      What PEFT cannot express is refused, with the settings that it could. The names of tasks and labels, which PEFT \
      has no place for, are in ptune.json beside its files; ptune reads them.
      """)

  @Argument(
    help: ArgumentHelp("The adapter folder that `ptune train` wrote.", valueName: "adapter"),
    completion: .adapterFolder)
  var adapter: String

  @Option(help: ArgumentHelp("The folder to write.", valueName: "folder"))
  var output: String

  @Option(
    help: ArgumentHelp(
      "The base model, if it is not where it was in training: a folder, or a name on the Hugging Face hub.",
      valueName: "model"))
  var baseModel: String?

  @Option(help: ArgumentHelp("The task to write, where PEFT cannot express all.", valueName: "name"))
  var task: String?

  @OptionGroup var hub: HubOptions

  @OptionGroup var plugins: PluginOptions

  @Flag(help: "Print one JSON document; everything else goes to standard error.")
  var json = false

  func run() throws {
    let run = try AdapterOptions.load(
      adapter, baseModel: baseModel, threads: nil, registry: plugins.registry(), resolver: hub.resolver())
    let export = try run.exportPEFT(task: try task.map { try run.task(named: $0) }, to: output)
    for warning in export.warnings { Output.warning(warning) }
    if json { Output.json(document(export)) } else { print(export) }
  }

  private func print(_ export: PEFTExport) {
    Output.print("\(export.method) for \(export.taskType), of PEFT, is in \(output)\n")
    var table = TextTable("TENSOR", "SHAPE")
    for tensor in export.tensors {
      table.add(tensor.name, tensor.shape.map(String.init).joined(separator: "×"))
    }
    Output.print(table)
    func quoted(_ text: String) -> String { JSONValue.string(text).text(.line) }
    let options =
      (export.labels.map { ", num_labels=\($0)" } ?? "")
      + (export.problemType.map { ", problem_type=\(quoted($0))" } ?? "")
      + (export.replacesHead ? ", ignore_mismatched_sizes=True" : "")
    Output.print(
      """

      To use it in Python:

      from peft import PeftModel
      from transformers import \(export.modelClass)

      base = \(export.modelClass).from_pretrained(\(quoted(export.baseModel))\(options))
      model = PeftModel.from_pretrained(base, \(quoted(output)))
      """)
  }

  private func document(_ export: PEFTExport) -> JSONValue {
    [
      "output": .string(output), "base_model": .string(export.baseModel),
      "peft_type": .string(export.method), "task_type": .string(export.taskType),
      "model_class": .string(export.modelClass), "tasks": .array(export.tasks.map { .string($0) }),
      "num_labels": export.labels.map { .int($0) } ?? .null,
      "problem_type": export.problemType.map { .string($0) } ?? .null,
      "ignore_mismatched_sizes": .bool(export.replacesHead),
      "tensors": .array(
        export.tensors.map { ["name": .string($0.name), "shape": .array($0.shape.map { .int($0) })] }),
    ]
  }
}
