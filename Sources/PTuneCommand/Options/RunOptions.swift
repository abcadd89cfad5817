import ArgumentParser
import PTuneEngine
import PTuneRunFile

/// The flags of `ptune train` that take the place of something in the run file.
struct RunOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Train with this adapter; may be repeated for several that work together.", valueName: "name"),
    completion: .components(.adapter))
  var adapter: [String] = []

  @Option(
    help: ArgumentHelp("The base model: a folder, or a name on the Hugging Face hub.", valueName: "model"))
  var model: String?

  @Option(
    help: ArgumentHelp("Add the run's tasks to this trained adapter.", valueName: "adapter"),
    completion: .adapterFolder)
  var extend: String?

  @Option(
    help: ArgumentHelp("Go on from this trained adapter, ptune's or PEFT's.", valueName: "adapter"),
    completion: .adapterFolder)
  var startFrom: String?

  @Option(
    help: ArgumentHelp("The folder for everything the run makes.", valueName: "folder"),
    completion: .directory)
  var output: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Passes over the training data.", valueName: "n"))
  var epochs: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("End after so many steps.", valueName: "n"))
  var maxSteps: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The learning rate after the warm-up.", valueName: "x"))
  var learningRate: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Examples of one forward pass.", valueName: "n"))
  var batchSize: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("What everything random is drawn from.", valueName: "n"))
  var seed: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Threads to compute with.", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp("What products with the base model's weights round to.", valueName: "precision"))
  var compute: ComputePrecision?

  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Set any key of the run file, as in adapter.virtual_tokens=50; may be repeated.", valueName: "key=value"
    ))
  var settings: [String] = []

  /// What the flags say, `--set` last.
  func overrides() throws -> [RunOverride] {
    let flags: [(flag: String, path: [String], value: String?)] = [
      ("--model", ["base", "model"], model),
      ("--extend", ["extend"], extend),
      ("--start-from", ["start_from"], startFrom),
      ("--output", ["output"], output),
      ("--epochs", ["training", "epochs"], epochs.map { "\($0)" }),
      ("--max-steps", ["training", "max_steps"], maxSteps.map { "\($0)" }),
      ("--learning-rate", ["training", "learning_rate"], learningRate.map { "\($0)" }),
      ("--batch-size", ["training", "batch_size"], batchSize.map { "\($0)" }),
      ("--seed", ["training", "seed"], seed.map { "\($0)" }),
      ("--threads", ["training", "threads"], threads.map { "\($0)" }),
      ("--compute", ["training", "compute"], compute?.rawValue),
    ]
    let named = flags.compactMap { flag, path, value in
      value.map { RunOverride(path: path, text: $0, flag: "\(flag) \($0)") }
    }
    let adapters = adapter.isEmpty ? [] : [RunOverride(adapters: adapter)]
    return try adapters + named + settings.map { try RunOverride(set: $0) }
  }
}
