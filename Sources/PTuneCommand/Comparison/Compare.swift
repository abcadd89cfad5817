import ArgumentParser
import PTune
import PTuneComparison
import PTuneFormats
import PTuneLibc
import PTunePlugins
import PTuneReport
import PTuneTerminal

/// `ptune compare RUN`: trains several methods under equal conditions and shows them side by side.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train several methods under equal conditions and show them side by side.",
    discussion: """
      Every method is trained on the same data, in the same order for a given seed, for the same number of \
      steps, at its recommended learning rate unless the run sets one, and measured with the adapter that is \
      best on the validation data. Nothing is trained twice: after an interruption, the same command resumes.

      Examples:
        ptune compare run.yaml --adapters prompt-tuning,prefix-tuning,p-tuning-v2 --seeds 3
        ptune compare run.yaml --adapters prefix-tuning,prefix-tuning:form=hidden
        ptune compare run.yaml --adapters prompt-pool:selector=top-k:selector.k=3,other.yaml
        ptune compare run.yaml --grid adapter.virtual_tokens=5,20,100
      """)

  @Argument(help: ArgumentHelp("The run file.", valueName: "run.yaml"), completion: .runFile)
  var runFile: String

  @Option(
    help: ArgumentHelp(
      "The methods, separated by commas: NAME, NAME:KEY=VALUE:…, or a run file, for its adapter.",
      valueName: "list"))
  var adapters: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Train each method with this many seeds, starting with the run's.", valueName: "n"))
  var seeds: Int?

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Train with each of these values of a key of the run file; may be repeated.",
      valueName: "key=value,value,…"))
  var grid: [String] = []

  @Flag(help: "List the trainings without running them.")
  var dryRun = false

  @Flag(help: "Delete existing results of these trainings and start over.")
  var restart = false

  @OptionGroup var options: RunOptions

  @Flag(help: "Print one JSON document at the end; everything else goes to standard error.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print only warnings and the result.")
  var quiet = false

  @OptionGroup var hub: HubOptions

  @OptionGroup var plugins: PluginOptions

  func validate() throws {
    guard options.adapter.isEmpty else {
      throw ValidationError("ptune compare takes --adapters, not --adapter")
    }
    guard (1...1000).contains(seeds ?? 1) else {
      throw ValidationError("--seeds has to be within 1 and 1000")
    }
  }

  func run() throws {
    Interruption.handle()
    let inventory = try plugins.scanner(runFile: runFile).scan()
    let plan = try ComparisonPlan(
      runFile: runFile, overrides: try options.overrides().filter { $0.path != ["output"] },
      variants: try adapters.map { try ComparisonVariant.list($0, place: .flag("--adapters \($0)")) } ?? [],
      axes: grid.isEmpty ? nil : try grid.map { try ComparisonAxis($0, place: .flag("--grid \($0)")) },
      seeds: seeds, output: options.output, inventory: inventory)
    for note in plan.notes { Output.warning(note) }
    // What the trainings need is fetched here, once: they themselves look into the cache alone.
    func comparison(restart: Bool) throws -> Comparison {
      try Comparison(plan, restart: restart, source: source(plan), resolver: hub.resolver())
    }
    if dryRun {
      show(plan, try comparison(restart: false))
    } else {
      try plan.hold { try train(try comparison(restart: restart)) }
    }
  }

  private func train(_ comparison: Comparison) throws {
    let console = Console(json ? STDERR_FILENO : STDOUT_FILENO)
    let view = ComparisonView(console: console, quiet: quiet, comparison: comparison)
    try comparison.write()
    view.begin()
    for index in comparison.plan.cells.indices where comparison.results[index].state != .done {
      view.begin(index)
      let folder = try comparison.begin(index)
      let ending = try run(folder) { view.show(index, $0) }
      if ending == .interrupted {
        try comparison.write()
        view.interrupted()
        throw ExitCode(Failure.interruptedStatus)
      }
      if case .failed(let error, let help) = ending { try folder.fail(error, help: help) }
      try comparison.end(index)
      try comparison.write()
      view.end(index)
    }
    do {
      let folder = try ComparisonFolder(comparison.plan.output)
      try Report(folder).write(to: FilePath.join(comparison.plan.output, ComparisonFolderFiles.report))
    } catch {
      Output.warning("comparison.html was not written: \(error)")
    }
    view.result()
    if json { Output.json(comparison.document) }
    if comparison.results.contains(where: { $0.state == .failed }) { throw ExitCode(1) }
  }

  /// The parts of a cell that are left to do.
  private func run(_ folder: CellFolder, progress: (String) -> Void) throws -> CellProcess.Ending {
    for (part, file) in [(CompareCell.Part.train, folder.trainingFile), (.measure, folder.inferenceFile)]
    where !FileSystem.isFile(file) {
      if Interruption.isRequested { return .interrupted }
      let process = CellProcess(
        part: part, cell: folder, pluginFolders: plugins.folders,
        lock: try plugins.lock(runFile: runFile)?.path)
      let ending = try process.run(progress: progress)
      if ending != .done { return ending }
    }
    return .done
  }

  private func source(_ plan: ComparisonPlan) -> JSONObject {
    [
      "ptune": .string(Release.version),
      "run": .string(FilePath.normalised(FilePath.join(FileSystem.currentFolder, runFile))),
      "base_model": .string(plan.cells[0].spec.base.model.value),
      "output": .string(plan.output),
    ]
  }

  private func show(_ plan: ComparisonPlan, _ comparison: Comparison) {
    if json { return Output.json(comparison.document) }
    var table = TextTable(["METHOD", "SEED", "STATE"], alignments: [.leading, .trailing])
    for result in comparison.results {
      table.add(result.cell.label, "\(result.cell.seed)", result.state.rawValue)
    }
    Output.print(table)
    Output.print("\n\(plan.cells.count) trainings, for \(plan.output)")
  }
}
