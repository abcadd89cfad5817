import ArgumentParser
import CPTune
import PTuneAdapters
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText

/// Where an adapter's base model is.
struct BaseModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The adapter's base model, if it has moved since training: a folder, or a name on the Hugging Face hub.",
      valueName: "model"))
  var baseModel: String?
}

/// The options of the commands that use a trained adapter.
struct AdapterOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The adapter folder that `ptune train` or PEFT wrote, or its name in the Hugging Face cache.",
      valueName: "folder"), completion: .adapterFolder)
  var adapter: String

  @OptionGroup var base: BaseModelOptions

  @Option(help: ArgumentHelp("The task, if the adapter has several.", valueName: "name"))
  var task: String?

  @Option(
    help: ArgumentHelp("Switch off this one of several adapters; may be repeated.", valueName: "name"))
  var without: [String] = []

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Rows per forward pass.", valueName: "n"))
  var batchSize = 64

  @OptionGroup var compute: ComputeOptions

  @OptionGroup var hub: HubOptions

  @OptionGroup var plugins: PluginOptions

  func validate() throws {
    guard (1...1_048_576).contains(batchSize) else {
      throw ValidationError("--batch-size has to be within 1 and 1048576")
    }
  }

  /// Loads the adapter.
  func load() throws -> AdapterRun {
    try Self.load(
      adapter, baseModel: base.baseModel, without: without, threads: compute.threads,
      compute: compute.compute,
      registry: try plugins.registry(), resolver: hub.resolver())
  }

  /// Loads an adapter, and prints warnings.
  static func load(
    _ adapter: String, baseModel: String?, without: [String] = [], threads: Int?, compute: ComputePrecision,
    registry: PluginRegistry, resolver: ModelResolver
  ) throws -> AdapterRun {
    try AdapterRun(
      adapter, baseModel: baseModel, without: without, threads: threads, compute: compute, registry: registry,
      resolver: resolver
    ) {
      level, message in
      if level >= Int32(PTUNE_LOG_WARNING) { Output.warning(message) }
    }
  }
}

/// How a data file is laid out.
struct LayoutOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "\(DataFormat.allCases.map(\.rawValue).joined(separator: ", ")); by default according to the file's name.",
      valueName: "format"))
  var format: DataFormat?

  @Flag(help: "The first line of TSV or CSV files is data; columns are called 1, 2, ….")
  var noHeader = false

  /// The format of the training where a file's name does not say another: a name that ends on .json says nothing of what
  /// the document is.
  private static func format(of file: String, trainedOn format: DataFormat?) -> DataFormat? {
    guard let format, file != "-" else { return nil }
    let named = try? DataFormat(path: file)
    return named == nil || named == .jsonl && format == .squad ? format : nil
  }

  /// The columns of a task as training knew them, with what flags say in their place.
  func data(of task: ComposedTask, file: String, text: String?, textPair: String?, label: String? = nil)
    -> DataSpec
  {
    var data = task.data
    func column(_ name: String, _ flag: String) -> Located<String> { Located(name, .flag("\(flag) \(name)")) }
    data.train = column(file, "--data")
    data.format = format ?? Self.format(of: file, trainedOn: data.format)
    data.header = noHeader ? false : nil
    if let text { data.text = column(text, "--text-column") }
    if let textPair { data.textPair = column(textPair, "--text-pair-column") }
    if let label { data.label = column(label, "--label-column") }
    return data
  }
}

extension DataFormat: ExpressibleByArgument {}
