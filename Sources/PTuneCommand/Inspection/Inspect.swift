import ArgumentParser
import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTuneLibc
import PTuneReport

/// `ptune inspect ADAPTER`: what a trained adapter is, and what can be seen of what it learned.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe a trained adapter and its virtual tokens.",
    discussion: """
      Components, tasks, tensors and their norms come from the folder alone. The base model, if it is on this \
      machine, adds counts, each virtual token's norm and the words whose embeddings are nearest to it in \
      cosine, and the similarity of virtual tokens, of the entries of a pool, or of the prompts of tasks. \
      Nearest words are a hint, not a translation: prompts also use directions that no word has.

      --text shows how much of a text's attention goes to the prompt, for each layer and head: the sum of the \
      weights of virtual tokens, averaged over the text's tokens. --data shows which entries of a pool are used \
      for which labels.

      Examples:
        ptune inspect runs/films/adapter
        ptune inspect runs/films/adapter --text "A joy from start to finish."
        ptune inspect runs/pool/adapter --data dev.tsv --html pool.html
        ptune inspect peft-adapter --base-model google-bert/bert-base-uncased --json
      """)

  @Argument(
    help: ArgumentHelp(
      "The adapter folder that `ptune train` or PEFT wrote, or its name on the Hugging Face hub.",
      valueName: "adapter"),
    completion: .adapterFolder)
  var adapter: String

  @OptionGroup var base: BaseModelOptions

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The number of words to show for each virtual token; 0 for none.", valueName: "k"))
  var nearest = 5

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Show how much attention this text pays to the prompt.", valueName: "text"))
  var text: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The second text of a pair; the context of a question.", valueName: "text"))
  var textPair: String?

  @Option(
    help: ArgumentHelp(
      "Labelled rows, to show which entries of a pool are used for which labels.", valueName: "file"),
    completion: .file())
  var data: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("With --data, the column of the text.", valueName: "column"))
  var textColumn: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("With --data, the column of the second text.", valueName: "column"))
  var textPairColumn: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("With --data, the column of the label.", valueName: "column"))
  var labelColumn: String?

  @OptionGroup var layout: LayoutOptions

  @Option(help: ArgumentHelp("The task, if the adapter has several.", valueName: "name"))
  var task: String?

  @Option(
    help: ArgumentHelp("Write an HTML page with everything to this file.", valueName: "file"),
    completion: .file(extensions: ["html"]))
  var html: String?

  @OptionGroup var compute: ComputeOptions

  @OptionGroup var hub: HubOptions

  @OptionGroup var plugins: PluginOptions

  @Flag(help: "Print one JSON document; everything else goes to standard error.")
  var json = false

  func validate() throws {
    guard (0...1000).contains(nearest) else { throw ValidationError("--nearest has to be within 0 and 1000") }
    guard textPair == nil || text != nil else { throw ValidationError("--text-pair needs --text") }
    let columns = [
      ("--text-column", textColumn), ("--text-pair-column", textPairColumn), ("--label-column", labelColumn),
      ("--format", layout.format?.rawValue), ("--no-header", layout.noHeader ? "" : nil),
    ]
    if data == nil, let (flag, _) = columns.first(where: { $0.1 != nil }) {
      throw ValidationError("\(flag) needs --data")
    }
  }

  func run() throws {
    let files = ((try? FileSystem.entries(of: adapter)) ?? []).map { FilePath.join(adapter, $0) }
    let read = files + [data].compactMap { $0 }
    if let html { try AtomicFile.check(output: html, reading: read) }
    Interruption.handle()
    var inspection = Inspection(facts: try AdapterFacts(adapter, resolver: hub.resolver()))
    do {
      try look(with: try load(), &inspection)
    } catch let error as AdapterError where inspection.canDoWithout(error, isBaseNeeded: isBaseNeeded) {
      inspection.missingBase = error
    }
    if let html { try Report(inspection: inspection.json).write(output: html, reading: read) }
    if json { Output.json(inspection.json) } else { InspectionView(inspection).show() }
  }

  private var isBaseNeeded: Bool { base.baseModel != nil || text != nil || data != nil || task != nil }

  /// The adapter on its base model, which is not fetched for what can be told without it.
  private func load() throws -> AdapterRun {
    try AdapterOptions.load(
      adapter, baseModel: base.baseModel, threads: compute.threads, compute: compute.compute,
      registry: try plugins.registry(), resolver: HubOptions.resolver(offline: hub.offline || !isBaseNeeded))
  }

  private func look(with run: AdapterRun, _ inspection: inout Inspection) throws {
    let names = run.folder.tasks.map(\.name)
    // Without a name: the first one's prompt stands for all, but a text or rows are of one task.
    let task =
      text == nil && data == nil && task == nil ? 0 : try run.task(named: task)
    let inspector = PromptInspector(run, nearest: nearest)
    inspection.counts = ParameterCounts(run)
    inspection.modelName = run.composition.modelName
    inspection.prompts = try inspector.prompts(task: task)
    inspection.taskSimilarity = try inspector.taskSimilarity()
    inspection.task = names[task]
    inspection.tasks = run.folder.tasks.map { ($0.name, $0.head.plugin, $0.labels) }
    inspection.adapters = run.composition.adapters
    if let text { inspection.attention = try run.attention(text: text, pair: textPair, task: task) }
    if let data { inspection.selection = try selection(run, data, task) }
  }

  private func selection(_ run: AdapterRun, _ file: String, _ task: Int) throws -> SelectionStatistics {
    guard run.folder.selector != nil else {
      throw InspectionError.noPool(adapters: run.folder.adapters.map(\.plugin))
    }
    let rows = layout.data(
      of: run.folder.tasks[task], file: file, text: textColumn, textPair: textPairColumn, label: labelColumn)
    let progress = EvaluationProgress(Console(STDERR_FILENO))
    defer { progress.end() }
    let report = try run.evaluate(rows, task: task, batchSize: 64) { done, count in
      if Interruption.isRequested { throw CancellationError() }
      progress.show(done, of: count)
    }
    guard let selection = report.selection else {
      throw InspectionError.noRows(file: file)
    }
    return selection
  }
}
