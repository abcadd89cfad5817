import PTuneAdapters
import PTuneComposition
import PTuneEngine
import PTuneFormats

/// The folder of a run while it trains: the run file, metrics, checkpoints and the best adapter so far.
struct RunOutput {
  private let run: TrainingRun
  private let checkpoints: CheckpointStore

  /// The folder of a run.
  init(_ run: TrainingRun) {
    self.run = run
    checkpoints = CheckpointStore(
      folder: FilePath.join(run.spec.output, RunFolderFiles.checkpoints),
      keep: run.spec.training.keepCheckpoints)
  }

  /// The folder of the best adapter.
  var adapter: String { path(RunFolderFiles.adapter) }

  private func path(_ name: String) -> String { FilePath.join(run.spec.output, name) }

  /// Makes the folder ready: for going on from the latest checkpoint, else without what an earlier run left.
  ///
  /// - Parameters:
  ///   - acceptingChanges: whether to go on where the run is not that of the checkpoint.
  ///   - steps: of the whole training.
  ///   - optimizer: takes its state from the checkpoint.
  /// - Returns: how far the checkpoint is; nil if training begins at the first step.
  /// - Throws: ``TrainingError/otherRun(checkpoint:reason:)`` or ``TrainingError/changed(_:accepted:)`` before anything is
  ///   written, `RunFileError`, `FileError`, and what `report` throws.
  func prepare(
    resume: Bool, acceptingChanges: Bool, steps: Int, optimizer: any Optimizer,
    report: (TrainingEvent) throws -> Void
  ) throws -> TrainingProgress? {
    let latest = resume ? try checkpoints.latest() : nil
    let progress = try latest?.restore(optimizer: optimizer, model: run.composition.model)
    var history = ""
    if let latest, let progress {
      history = try checkChanges(since: latest, progress, steps: steps, acceptingChanges, report)
      try MetricsFile.cut(path(RunFolderFiles.metrics), behind: progress.step)
    } else {
      if resume {
        try report(
          .warning("there is no checkpoint in \(checkpoints.folder); training begins at the first step"))
      }
      // What an earlier run in this folder left would mix with the new: its metrics, and checkpoints that a resumed
      // training would take for its own.
      try checkpoints.removeAll()
      for file in [path(RunFolderFiles.selection)] + RunResults.files(in: run.spec.output) {
        try FileSystem.removeFile(file)
      }
      try EventFile.removeAll(in: run.spec.output)
      try AtomicFile.write("", to: path(RunFolderFiles.metrics))
    }
    // Behind what it could be mixed up with: an old checkpoint never stands beside a new run file.
    try AtomicFile.write(history + run.spec.yaml(), to: path(RunFolderFiles.run))
    return progress
  }

  /// Compares the run with the one that a checkpoint is of.
  ///
  /// - Returns: what to put in front of the run file.
  /// - Throws: ``TrainingError/changed(_:accepted:)`` where the result would be that of neither run, unless that is
  ///   accepted; `RunFileError`.
  private func checkChanges(
    since checkpoint: StoredCheckpoint, _ progress: TrainingProgress, steps: Int, _ accepting: Bool,
    _ report: (TrainingEvent) throws -> Void
  ) throws -> String {
    let file = path(RunFolderFiles.run)
    guard FileSystem.isFile(file) else {
      try report(.warning("there is no \(file), so it is not known whether this is the same run"))
      return ""
    }
    let before = try MappedFile(text: file).withBytes { String(decoding: $0, as: UTF8.self) }
    let changes = try RunChanges(before, file: file, run.spec, rows: checkpoint.changedOrigins(origins))
    let breaking = changes.breaking
    if !breaking.isEmpty {
      let change = RunChange(
        output: run.spec.output, step: progress.step, changes: RunChanges.text(breaking))
      let isFinished = progress.step >= steps || progress.isFinished
      guard accepting, !isFinished else { throw TrainingError.changed(change, accepted: accepting) }
    }
    if !changes.all.isEmpty {
      try report(.warning("from step \(progress.step + 1) on: \(RunChanges.text(changes.all))"))
    }
    return breaking.isEmpty
      ? RunChanges.comments(of: before) : changes.history(after: before, step: progress.step)
  }

  /// What the training is on: the rows of each task.
  private var origins: [String: String] {
    let first = run.examples.count - run.spec.tasks.count
    return Dictionary(
      uniqueKeysWithValues: run.spec.tasks.enumerated().map { index, task in
        (task.name, ExampleDigest.of(run.examples[first + index].train))
      })
  }

  /// Writes the adapter as it is, and which entries of its pool the evaluations used.
  ///
  /// - Throws: `FileError`, or `EngineFailure` if the adapter cannot state what to save.
  func keep(_ evaluations: [EvaluationReport], step: Int) throws {
    try AdapterFolder.write(run.composition, maximumLength: run.maximumLength, to: adapter)
    var selections = JSONObject()
    for evaluation in evaluations { selections[evaluation.task] = evaluation.selection?.json }
    guard !selections.keys.isEmpty else { return }
    let document: JSONValue = ["step": .int(step), "tasks": .object(selections)]
    try AtomicFile.write(document.text(.pretty), to: path(RunFolderFiles.selection))
  }

  /// Writes a checkpoint.
  ///
  /// - Throws: `FileError`.
  func checkpoint(_ progress: TrainingProgress, _ optimizer: any Optimizer, _ log: RunLog) throws {
    // A resumed training does not write the lines again that came before its checkpoint.
    try log.sync()
    try checkpoints.write(
      TrainingCheckpoint(
        progress, optimizer: optimizer, model: run.composition.model, origins: origins))
  }
}
