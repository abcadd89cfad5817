import ArgumentParser
import PTuneComparison
import PTuneComposition
import PTuneEngine
import PTuneRunFile

/// The flags of `ptune train` that take the place of something in the run file.
struct RunOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Train with this adapter, NAME or NAME:KEY=VALUE:…; may be repeated for several that are used together.",
      valueName: "name"),
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
    help: ArgumentHelp(
      "Start from the values of this trained adapter, ptune's or PEFT's.", valueName: "adapter"),
    completion: .adapterFolder)
  var startFrom: String?

  @Option(
    help: ArgumentHelp("The folder for everything that the run writes.", valueName: "folder"),
    completion: .directory)
  var output: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Passes over the training data.", valueName: "n"))
  var epochs: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("End after this many steps.", valueName: "n"))
  var maxSteps: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The learning rate after the warm-up.", valueName: "x"))
  var learningRate: Double?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Examples per forward pass.", valueName: "n"))
  var batchSize: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The seed of everything random.", valueName: "n"))
  var seed: Int?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Number of threads.", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp("The precision of products with the base model's weights.", valueName: "precision"))
  var compute: ComputePrecision?

  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Set any key of the run file, as in adapter.virtual_tokens=50; may be repeated.", valueName: "key=value"
    ))
  var settings: [String] = []

  /// The adapters of `--adapter` without what it says of them.
  var adapterNames: [String] { adapter.map { String($0.prefix { $0 != ":" }) } }

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
    let variants = try adapter.map { try ComparisonVariant($0, place: .flag("--adapter \($0)")) }
    var adapters = adapter.isEmpty ? [] : [RunOverride(adapters: adapterNames)]
    for (name, variant) in zip(adapterNames, variants) {
      // The first one names the adapter.
      let settings = variant.overrides.dropFirst()
      adapters += adapterNames.count == 1 ? Array(settings) : settings.map { $0.of(adapter: name) }
    }
    return try adapters + named + settings.map { try RunOverride(set: $0) }
  }
}
