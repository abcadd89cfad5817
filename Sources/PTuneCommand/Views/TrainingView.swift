import CPTune
import PTuneComposition
import PTuneFormats
import PTuneRunFile
import PTuneTerminal
import PTuneTraining

/// Shows people what happens during a training.
final class TrainingView {
  private let console: Console
  private let quiet: Bool
  private let spec: RunSpec
  /// The command that began this training.
  private let command: String
  /// Whether that says `--resume` already.
  private let isResumed: Bool
  private var plan: TrainingPlan?
  private var watch: LossWatch?
  private let pluginFolders: [String]
  /// How many training rows have each label, and the columns that heads took by their names.
  private var labelCounts: [(task: String, counts: [(label: String, count: Int)])] = []
  private var columnsTaken: [(task: String, columns: [String])] = []
  /// The command that uses the adapter.
  private var useCommand = "predict"
  /// The flags of `predict` that give it a row of the first task.
  private var rowFlags = "--text \"…\""
  private var started = ContinuousClock.now
  private var lastDrawn: ContinuousClock.Instant?
  /// Of each step.
  private var losses: [Double] = []

  /// Lines about steps where a line cannot be drawn over, at most.
  private static let plainLines = 20

  /// - Parameter pluginFolders: those that the user named, which later commands need as well.
  init(
    console: Console, quiet: Bool, spec: RunSpec, command: String, isResumed: Bool,
    pluginFolders: [String] = []
  ) {
    self.pluginFolders = pluginFolders
    self.console = console
    self.quiet = quiet
    self.spec = spec
    self.command = command
    self.isResumed = isResumed
  }

  /// A message of a component.
  func log(level: Int32, _ message: String) {
    console.clear()
    if level >= Int32(PTUNE_LOG_WARNING) { Output.warning(message) }
  }

  /// Shows what was composed.
  func loaded(_ run: TrainingRun) {
    let composition = run.composition
    let model = composition.model
    let first = composition.tasks.count - spec.tasks.count
    labelCounts = run.labelCounts
    columnsTaken = spec.tasks.enumerated().compactMap { index, task in
      let columns = composition.columnsTaken[first + index] ?? []
      return columns.isEmpty ? nil : (task.name, columns)
    }
    if model.reading(task: first) == .continuedText {
      (useCommand, rowFlags) = ("generate", "--prompt \"…\"")
    }
    if model.arranges(task: composition.tasks.count - spec.tasks.count) {
      rowFlags = "--input rows.jsonl"
    } else if useCommand == "predict", spec.tasks[0].data.textPair != nil {
      rowFlags += " --text-pair \"…\""
    }
    guard !quiet else { return }
    console.line(
      field(
        "model",
        "\(composition.modelName) (\(composition.base.plugin), "
          + "\(NumberText.grouped(model.baseCount)) parameters)"))
    console.line(
      field(
        "adapter",
        "\(composition.adapters.map(\.plugin).joined(separator: " + ")), "
          + "\(NumberText.grouped(model.trainableCount)) trainable parameters "
          + "(\(NumberText.percent(Double(model.trainableCount) / Double(max(1, model.baseCount)))) of the model's)"
      ))
  }

  func show(_ event: TrainingEvent) {
    switch event {
    case .started(let plan): show(plan)
    case .step(let step): show(step)
    case .skipped(let divergence):
      console.clear()
      Output.warning("\(divergence); the step is skipped")
    case .evaluating(let done, let count): showEvaluating(done, count)
    case .evaluated(let reports, let step, let best): show(reports, step: step, best: best)
    case .stoppedEarly(let step, let reason):
      if !quiet { console.line("stopped at step \(step): \(reason)") }
    case .warning(let text):
      console.clear()
      Output.warning(text)
    }
  }

  /// Takes what is drawn over away.
  func end() { console.clear() }

  /// "tone: " where there are several tasks.
  private func of(_ task: String) -> String { spec.tasks.count > 1 ? "\(task): " : "" }

  /// The first of many.
  private func listed(_ texts: [String]) -> String {
    texts.prefix(8).joined(separator: ", ") + (texts.count > 8 ? " and \(texts.count - 8) more" : "")
  }

  private func field(_ name: String, _ value: String) -> String {
    console.paint(name.padded(to: 10), .dim) + value
  }

  private func show(_ plan: TrainingPlan) {
    self.plan = plan
    started = .now
    watch = LossWatch(
      steps: plan.steps, isFresh: plan.resumedFrom == 0 && spec.startFrom == nil && spec.extend == nil)
    if plan.truncated > 0 {
      Output.warning(
        "\(NumberText.grouped(plan.truncated)) of \(NumberText.grouped(plan.examples)) training texts are longer than "
          + "\(plan.maximumLength) tokens and were truncated")
    }
    for (task, counts) in labelCounts {
      let rare = counts.filter { $0.count == 1 }.map { "'\($0.label)'" }
      if !rare.isEmpty {
        Output.warning(
          "\(of(task))\(rare.count == 1 ? "the label \(rare[0]) has" : "\(rare.count) labels have") one training row"
            + (rare.count == 1 ? "" : ": \(listed(rare))"))
      }
    }
    guard !quiet else { return }
    var counts = ["\(NumberText.grouped(plan.examples)) examples"]
    if plan.validationExamples > 0 {
      counts.append("\(NumberText.grouped(plan.validationExamples)) for validation")
    }
    if plan.testExamples > 0 { counts.append("\(NumberText.grouped(plan.testExamples)) for test") }
    console.line(field("data", counts.joined(separator: ", ")))
    for (task, counts) in labelCounts {
      console.line(
        field("labels", of(task) + listed(counts.map { "\($0.label) \(NumberText.grouped($0.count))" })))
    }
    for (task, columns) in columnsTaken {
      console.line(field("columns", of(task) + listed(columns) + ", taken by their names"))
    }
    console.line(
      field(
        "training",
        "\(NumberText.grouped(plan.steps)) steps, learning rate \(plan.learningRate)"
          + plan.furtherRates.map { ", of \($0.adapter) \($0.rate)" }.joined()))
    if plan.resumedFrom > 0 { console.line("resuming from step \(plan.resumedFrom)") }
    console.line()
  }

  // MARK: - Progress

  private func show(_ step: StepReport) {
    losses.append(step.loss)
    if let finding = watch?.add(step.loss, step: step.step) {
      console.clear()
      Output.warning(finding.text(learningRate: plan?.learningRate ?? step.learningRate))
    }
    guard !quiet, let plan else { return }
    if console.isLive {
      guard isDue(last: step.step == step.steps) else { return }
      let done = Double(step.step - plan.resumedFrom)
      let left = (ContinuousClock.now - started) / .seconds(1) / done * Double(step.steps - step.step)
      console.redraw([
        bar(step.step, step.steps), "\(step.step)/\(step.steps)", "loss \(NumberText.fixed(step.loss, 4))",
        "\(NumberText.clock(left)) left", "epoch \(step.epoch)",
        "\(NumberText.fixed(step.examplesPerSecond, 0)) examples/s",
      ])
    } else {
      let interval = max(spec.training.logEvery, (step.steps + Self.plainLines - 1) / Self.plainLines)
      guard step.step % interval == 0 || step.step == step.steps else { return }
      console.line(
        "step \(step.step)/\(step.steps)  epoch \(step.epoch)  loss \(NumberText.fixed(step.loss, 4))  "
          + "\(NumberText.fixed(step.examplesPerSecond, 0)) examples/s")
    }
  }

  private func showEvaluating(_ done: Int, _ count: Int) {
    guard !quiet, console.isLive, isDue(last: done == count) else { return }
    console.redraw([bar(done, count), "evaluating \(done)/\(count)"])
  }

  private func show(_ reports: [EvaluationReport], step: Int, best: Bool) {
    guard !quiet else { return }
    for report in reports {
      let metrics = report.metrics.map { "\($0.name) \(NumberText.fixed($0.value, 4))" }
      let task = reports.count > 1 ? "\(report.task)  " : ""
      console.line(
        "step \(step)  validation  \(task)\(metrics.joined(separator: "  "))\(best ? "  *" : "")")
    }
  }

  /// Whether it is time to draw again: ten times a second.
  private func isDue(last: Bool) -> Bool {
    let now = ContinuousClock.now
    if !last, let lastDrawn, now - lastDrawn < .milliseconds(100) { return false }
    lastDrawn = now
    return true
  }

  private func bar(_ done: Int, _ count: Int) -> String {
    let width = 20
    let filled = min(width, done * width / max(1, count))
    return "[\(String(repeating: "=", count: filled))\(String(repeating: " ", count: width - filled))]"
  }

  // MARK: - The result

  /// - Parameter file: where the trace is.
  func show(_ profile: ProfileTable, file: String) {
    console.line()
    for line in profile.lines { console.line(line) }
    console.line()
    console.line("The trace is in \(file); https://ui.perfetto.dev opens it.")
  }

  /// - Parameter report: where the page about the run is.
  func show(_ result: TrainingResult, report: String?) {
    console.clear()
    if result.wasInterrupted {
      console.line(
        "stopped at step \(result.steps) of \(plan?.steps ?? result.steps); a checkpoint is in "
          + "\(FilePath.join(spec.output, RunFolderFiles.checkpoints))")
      console.line("resume with: \(command)\(isResumed ? "" : " --resume")")
      return
    }
    if !quiet { console.line() }
    if !quiet, losses.count > 1 {
      let ends = [losses[0], result.loss].map { NumberText.fixed($0, 4) }
      console.line(field("loss", "\(ends[0]) \(sparkline(losses)) \(ends[1])") + "\n")
    }
    let reports = result.test.isEmpty ? result.validation : result.test
    var columns: [(header: String, value: String)] = [
      ("METHOD", spec.adapters.map(\.plugin.value).joined(separator: " + ")),
      (
        "TRAINABLE",
        "\(NumberText.grouped(result.trainableParameters)) "
          + "(\(NumberText.percent(Double(result.trainableParameters) / Double(max(1, result.baseParameters)))))"
      ),
    ]
    for report in reports {
      let prefix = reports.count > 1 ? "\(report.task) " : ""
      let majority = report.metrics.dropFirst().first { $0.name == "majority_class" }
      // Beside others, a task has room for one number.
      for metric in [report.primary, reports.count > 1 ? nil : majority].compactMap({ $0 }) {
        let name = String(metric.name.map { $0 == "_" ? " " : $0 })
        columns.append(((prefix + name).uppercased(), NumberText.fixed(metric.value, 4)))
      }
    }
    columns += [
      ("SECONDS", NumberText.fixed(result.seconds, 1)),
      ("EXAMPLES/S", NumberText.fixed(result.examplesPerSecond, 0)),
    ]
    var table = TextTable(columns.map(\.header))
    table.add(columns.map(\.value))
    console.table(table)
    let heldOut = !result.test.isEmpty ? "test" : result.validation.isEmpty ? nil : "validation"
    if let heldOut, !quiet {
      let count = reports.reduce(0) { $0 + $1.examples }
      console.line(
        "\nMeasured on \(NumberText.grouped(count)) \(heldOut) examples, best step \(result.bestStep).")
    }
    console.line("\nThe adapter is in \(result.adapter). To use it:")
    let task = spec.tasks.count > 1 || spec.extend != nil ? " --task \(spec.tasks[0].name)" : ""
    let folders = pluginFolders.map { " --plugin-path \(ShellText.quoted($0))" }.joined()
    console.line("  ptune \(useCommand) --adapter \(ShellText.quoted(result.adapter))\(task)\(folders) \(rowFlags)")
    if let report { console.line("\nThe report is in \(report).") }
  }
}

extension String {
  /// With blanks behind it up to a width.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
