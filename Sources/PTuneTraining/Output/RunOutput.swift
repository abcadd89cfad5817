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
  /// - Parameter optimizer: takes its state from the checkpoint.
  /// - Returns: how far the checkpoint is; nil if training begins at the first step.
  /// - Throws: ``TrainingError/otherRun(checkpoint:reason:)`` before anything is written, `FileError`, and what `report`
  ///   throws.
  func prepare(
    resume: Bool, optimizer: any Optimizer, report: (TrainingEvent) throws -> Void
  ) throws -> TrainingProgress? {
    let progress = try (resume ? checkpoints.latest() : nil).map {
      try $0.restore(optimizer: optimizer, model: run.composition.model)
    }
    if let progress {
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
    try AtomicFile.write(run.spec.yaml(), to: path(RunFolderFiles.run))
    return progress
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
    try checkpoints.write(TrainingCheckpoint(progress, optimizer: optimizer, model: run.composition.model))
  }
}
