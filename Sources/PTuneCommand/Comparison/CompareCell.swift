import ArgumentParser
import CPTune
import CPTunePlatform
import PTuneAdapters
import PTuneComparison
import PTuneFormats
import PTuneLibc
import PTuneRunFile
import PTuneTerminal
import PTuneTraining

/// One part of a comparison in a process of its own, so that its memory is its own: what `ptune compare` starts.
struct CompareCell: ParsableCommand {
  /// The parts, in their order.
  enum Part: String, ExpressibleByArgument {
    /// Trains, and measures the held-out data.
    case train
    /// Measures what using the adapter costs.
    case measure
  }

  static let configuration = CommandConfiguration(
    commandName: "compare-cell", abstract: "Part of a comparison; internal.", shouldDisplay: false)

  @Argument(help: "What to do.") var part: Part
  @Argument(help: "The cell's folder.") var folder: String
  @Option(help: "The process with which this one ends.") var parent: Int32
  @OptionGroup var plugins: PluginOptions

  func run() throws {
    ptune_become_child(parent)
    // A terminal's Ctrl-C is for the parent too, which hands it on: heeding both would end the training at once.
    signal(SIGINT, SIG_IGN)
    Interruption.handle()
    let cell = CellFolder(folder)
    let spec = try RunSpec.read(cell.runFile)
    switch part {
    case .train: try train(cell, spec)
    case .measure: try measure(cell, spec)
    }
  }

  private func train(_ cell: CellFolder, _ spec: RunSpec) throws {
    let run = try TrainingRun(
      spec, registry: try plugins.registry(), resolver: HubOptions.resolver(), log: log)
    if Interruption.isRequested { throw CancellationError() }
    let progress = CellProgress()
    let result = try Trainer(run, report: progress.show).train(resume: cell.hasCheckpoint) {
      Interruption.isRequested
    }
    if result.wasInterrupted { throw ExitCode(Failure.interruptedStatus) }
    var document = result.document.objectValue ?? JSONObject()
    document["tasks"] = result.comparedTasks
    try AtomicFile.write(JSONValue.object(document).text(.pretty), to: cell.trainingFile)
  }

  /// Times the first task on the data that was not trained on, or else on what was.
  private func measure(_ cell: CellFolder, _ spec: RunSpec) throws {
    let run = try AdapterRun(
      FilePath.join(folder, RunFolderFiles.adapter), baseModel: spec.base.model.value,
      threads: spec.training.threads,
      compute: spec.training.compute,
      registry: try plugins.registry(), log: log)
    let task = spec.tasks[0]
    var data = task.data
    data.train = data.test ?? data.validation ?? data.train
    let timing = try run.timeInference(data, task: try run.task(named: task.name))
    let document: JSONValue = [
      "latency_seconds": .double(timing.singleSeconds),
      "inference_examples_per_second": .double(Double(timing.batchRows) / timing.batchSeconds),
      "inference_batch_rows": .int(timing.batchRows), "inference_peak_memory_bytes": .int(peakMemory()),
    ]
    try AtomicFile.write(document.text(.pretty), to: cell.inferenceFile)
  }

  private func log(level: Int32, _ message: String) {
    if level >= Int32(PTUNE_LOG_WARNING) { Output.warning(message) }
  }
}

/// Tells the parent how far a training is: a line on descriptor 3, five times a second.
private final class CellProgress {
  private var last: ContinuousClock.Instant?
  private var watch: LossWatch?
  private var rate = 0.0

  func show(_ event: TrainingEvent) {
    switch event {
    case .started(let plan):
      rate = plan.learningRate
      watch = LossWatch(steps: plan.steps, isFresh: plan.resumedFrom == 0)
    case .step(let step):
      if let finding = watch?.add(step.loss, step: step.step) {
        Output.warning(finding.text(learningRate: rate))
      }
      tell(
        "step \(step.step)/\(step.steps)  loss \(NumberText.fixed(step.loss, 4))  "
          + "\(NumberText.fixed(step.examplesPerSecond, 0)) examples/s")
    case .evaluating(let done, let count): tell("evaluating \(done)/\(count)")
    case .warning(let text): Output.warning(text)
    case .skipped(let divergence): Output.warning("\(divergence); the step is skipped")
    case .evaluated, .stoppedEarly: break
    }
  }

  private func tell(_ text: String) {
    let now = ContinuousClock.now
    if let last, now - last < .milliseconds(200) { return }
    last = now
    // Whether the parent reads it does not matter to the training.
    _ = Output.write(text + "\n", to: 3)
  }
}
