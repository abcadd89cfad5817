import ArgumentParser
import PTuneAdapters
import PTuneFormats
import PTuneTerminal

/// `ptune export`: writes a trained adapter as PEFT has it.
struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a trained adapter for PEFT, or its prompt as tokens of the base model.",
    discussion: """
      PEFT loads the folder that training writes, wherever it can express the adapter. This command writes \
      copies and conversions: a hidden prefix as keys and values, one of several tasks, entries of a pool as a \
      prompt. What PEFT cannot express is refused, with the settings that it can.

      --merge-virtual-tokens writes the base model instead, with a prompt's rows as special tokens of its \
      vocabulary, which any engine can use, and prints the text to use. If the base model is a GGUF file, so is \
      the output.

      Examples:
        ptune export runs/reviews/adapter --output peft-adapter
        ptune export runs/pool/adapter --output peft-adapter --select 0,3
        ptune export runs/reviews/adapter --merge-virtual-tokens --output model
      """)

  @Argument(
    help: ArgumentHelp("The adapter folder that `ptune train` wrote.", valueName: "adapter"),
    completion: .adapterFolder)
  var adapter: String

  @Option(
    help: ArgumentHelp("The folder to write, or the file, for a merged GGUF file.", valueName: "folder"))
  var output: String

  @OptionGroup var base: BaseModelOptions

  @Option(help: ArgumentHelp("The task to write, if PEFT cannot express all.", valueName: "name"))
  var task: String?

  @Option(
    help: ArgumentHelp(
      "Make a prompt of these entries of a pool, numbered from 0 and separated by commas.",
      valueName: "entries"))
  var select: EntryList?

  @Flag(help: "Write the base model with the prompt's rows as tokens of its vocabulary.")
  var mergeVirtualTokens = false

  @OptionGroup var hub: HubOptions

  @OptionGroup var plugins: PluginOptions

  @Flag(help: "Print one JSON document; everything else goes to standard error.")
  var json = false

  func run() throws {
    let run = try AdapterOptions.load(
      adapter, baseModel: base.baseModel, threads: nil, compute: .f32, registry: try plugins.registry(),
      resolver: hub.resolver())
    let task = try task.map { try run.task(named: $0) }
    if mergeVirtualTokens {
      return print(try run.mergeVirtualTokens(task: task, entries: select?.entries, to: output))
    }
    let export = try run.exportPEFT(task: task, entries: select?.entries, to: output)
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
    Output.print("\nTo use it in Python:\n\n\(export.loading.python(output))")
  }

  private func print(_ merged: MergedExport) {
    if json {
      Output.json([
        "output": .string(output), "tokens": .array(merged.tokens.map { .string($0) }),
        "first_id": .int(merged.firstID), "prompt": .string(merged.pattern),
      ])
      return
    }
    Output.print(
      """
      The base model with \(merged.tokens.count) more tokens, ids from \(merged.firstID) on, is in \(output)

      Give this to its tokenizer, with add_special_tokens=False, where {text} is the text:

      \(merged.pattern)
      """)
  }

  private func document(_ export: PEFTExport) -> JSONValue {
    [
      "output": .string(output), "base_model": .string(export.loading.baseModel),
      "peft_type": .string(export.method), "task_type": .string(export.taskType),
      "model_class": .string(export.loading.modelClass), "tasks": .array(export.tasks.map { .string($0) }),
      "num_labels": export.loading.labels.map { .int($0) } ?? .null,
      "problem_type": export.loading.problemType.map { .string($0) } ?? .null,
      "ignore_mismatched_sizes": .bool(export.loading.replacesHead),
      "tensors": .array(
        export.tensors.map { ["name": .string($0.name), "shape": .array($0.shape.map { .int($0) })] }),
    ]
  }
}

/// Numbers with commas between: 3 or 0,2.
struct EntryList: ExpressibleByArgument {
  let entries: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    guard !parts.isEmpty, parts.allSatisfy({ $0 ?? -1 >= 0 }) else { return nil }
    entries = parts.compactMap { $0 }
  }
}
