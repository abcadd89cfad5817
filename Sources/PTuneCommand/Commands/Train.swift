import ArgumentParser
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneLibc
import PTunePlugins
import PTuneReport
import PTuneRunFile
import PTuneTerminal
import PTuneTraining

/// `ptune train RUN`: trains an adapter as a run file says.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train an adapter according to a run file.",
    discussion: """
      The run file names a base model, an adapter, a task with its data, and how to train; flags override it. \
      The trained adapter is in OUTPUT/adapter.

      Examples:
        ptune train reviews.yaml
        ptune train reviews.yaml --adapter prompt-tuning --set adapter.virtual_tokens=50 --output runs/prompt
        ptune train reviews.yaml --find-learning-rate
        ptune train reviews.yaml --resume
      """)

  @Argument(help: ArgumentHelp("The run file.", valueName: "run.yaml"), completion: .runFile)
  var runFile: String

  @OptionGroup var options: RunOptions

  @Flag(help: "Resume from the latest checkpoint in the output folder.")
  var resume = false

  @Flag(help: "With --resume: go on although the run file or its data changed since the checkpoint.")
  var acceptChanges = false

  @Flag(help: "Throw away the adapter and the checkpoints of an earlier training in the output folder.")
  var overwrite = false

  @Flag(
    help:
      "Do not train, but try learning rates for some steps and suggest one; writes OUTPUT/learning-rate.json."
  )
  var findLearningRate = false

  @Flag(help: "Print one JSON document at the end; everything else goes to standard error.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print only warnings and the result.")
  var quiet = false

  @Flag(help: "Do not write report.html.")
  var noReport = false

  @Flag(
    help: "Show where the time of the first steps goes, and write OUTPUT/profile.json for Perfetto or Chrome."
  )
  var profile = false

  @OptionGroup var hub: HubOptions

  @OptionGroup var plugins: PluginOptions

  func validate() throws {
    guard !findLearningRate || !resume else {
      throw ValidationError("give either --find-learning-rate or --resume, not both")
    }
    guard !acceptChanges || resume else { throw ValidationError("--accept-changes goes with --resume") }
    guard !overwrite || !resume else {
      throw ValidationError("give either --resume or --overwrite, not both")
    }
  }

  func run() throws {
    Interruption.handle()
    let registry = try plugins.registry(runFile: runFile)
    let file = try RunFile(runFile)
    var spec = try file.run(options.overrides())
    try checkOutput(spec)
    for warning in try dropStrangers(from: &spec, of: file, registry) { Output.warning(warning) }
    let view = TrainingView(
      console: Console(json ? STDERR_FILENO : STDOUT_FILENO), quiet: quiet, spec: spec,
      command: (["ptune"] + CommandLine.arguments.dropFirst()).map(ShellText.quoted).joined(separator: " "),
      isResumed: resume, pluginFolders: plugins.folders)
    let run = try TrainingRun(spec, registry: registry, resolver: hub.resolver()) { view.log(level: $0, $1) }
    if Interruption.isRequested { throw CancellationError() }
    view.loaded(run)
    if findLearningRate { return try findLearningRate(of: run) }
    let profile = profile ? Profile() : nil
    run.composition.model.session.profile = profile
    let result: TrainingResult
    do {
      result = try Trainer(run, report: view.show)
        .train(resume: resume, acceptingChanges: acceptChanges) { Interruption.isRequested }
    } catch {
      view.end()
      throw error
    }
    view.show(result, report: noReport || result.wasInterrupted ? nil : writeReport(spec))
    if let profile {
      let file = FilePath.join(spec.output, RunFolderFiles.profile)
      try AtomicFile.write(profile.trace.text(.line), to: file)
      view.show(ProfileTable(profile), file: file)
    }
    if json { Output.json(result.document) }
    if result.wasInterrupted { throw ExitCode(Failure.interruptedStatus) }
  }

  /// A new training does not throw away an earlier one unasked.
  private func checkOutput(_ spec: RunSpec) throws {
    let adapter = FilePath.join(spec.output, "adapter")
    guard !resume, !overwrite, !findLearningRate,
      FileSystem.isFile(FilePath.join(adapter, "adapter_config.json"))
    else { return }
    throw CommandError.trained(adapter: adapter)
  }

  /// Writes the page about the run. A training whose page cannot be written has succeeded all the same.
  ///
  /// - Returns: where it is; nil if it could not be written, which is said.
  private func writeReport(_ spec: RunSpec) -> String? {
    let path = FilePath.join(spec.output, RunFolderFiles.report)
    do {
      try Report([RunFolder(spec.output)]).write(to: path)
      return path
    } catch {
      Output.warning("no report was written: \(error)")
      return nil
    }
  }

  private func findLearningRate(of run: TrainingRun) throws {
    let console = Console(json ? STDERR_FILENO : STDOUT_FILENO)
    let findings = try LearningRateFinder(run).find { point in
      if !quiet {
        console.redraw([
          "learning rate \(NumberText.fixed(point.rate, 5))", "loss \(NumberText.fixed(point.smoothed, 4))",
        ])
      }
      return !Interruption.isRequested
    }
    console.clear()
    if Interruption.isRequested { throw CancellationError() }
    let output = run.spec.output
    try FileSystem.createFolder(output)
    try AtomicFile.write(findings.json.text(.pretty), to: FilePath.join(output, LearningRateFinder.file))
    if json { return Output.json(findings.json) }
    var words = ["ptune"] + CommandLine.arguments.dropFirst().filter { $0 != "--find-learning-rate" }
    if let place = words.firstIndex(of: "--learning-rate") { words.removeSubrange(place...place + 1) }
    LearningRateView(console: console, findings: findings) { rate in
      (words + ["--learning-rate", "\(rate)"]).map(ShellText.quoted).joined(separator: " ")
    }.show()
  }

  /// Removes hyperparameters of the run file's own adapter that the adapter of `--adapter` does not know.
  ///
  /// - Returns: a warning if there were any.
  private func dropStrangers(
    from spec: inout RunSpec, of file: RunFile, _ registry: PluginRegistry
  ) throws -> [String] {
    guard options.adapter.count == 1, let adapter = options.adapterNames.first, let own = file.adapters.first,
      own != adapter
    else { return [] }
    let strangers = try spec.removeStrangers(registry.inventory)
    guard !strangers.isEmpty else { return [] }
    return [
      "\(runFile) is for \(own); \(adapter) has no \(strangers.joined(separator: ", ")), "
        + "so \(strangers.count == 1 ? "this is" : "these are") left out"
    ]
  }
}

extension PluginOptions {
  /// The registry of a command that runs components.
  ///
  /// - Parameter runFile: what the command runs, if it runs one.
  /// - Throws: what is wrong with the lock file.
  func registry(runFile: String? = nil) throws -> PluginRegistry {
    PluginRegistry(
      host: HostTable.connect(closures: makeClosuresInterface()), search: search, prober: prober,
      admission: try lock(runFile: runFile), allowsOtherVersions: allowsOther)
  }
}
