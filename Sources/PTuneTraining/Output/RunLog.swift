import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneRunFile

/// What a training records as it goes: the lines of metrics.jsonl and, beside them, the same numbers for TensorBoard.
final class RunLog {
  private let lines: LineAppender
  private let events: EventFile?
  /// Whether tags name the task.
  private let severalTasks: Bool

  /// Opens the files of a run folder.
  ///
  /// - Parameter resumedFrom: the step that a resumed training goes on from; 0 for a fresh start.
  /// - Throws: `FileError`.
  init(_ spec: RunSpec, _ composition: Composition, learningRate: Double, resumedFrom step: Int) throws {
    lines = try LineAppender(FilePath.join(spec.output, RunFolderFiles.metrics))
    severalTasks = composition.tasks.count > 1
    guard spec.training.tensorboard else {
      events = nil
      return
    }
    events = try EventFile(in: spec.output, restartStep: step > 0 ? step + 1 : nil)
    try events?.hyperparameters(Self.settings(spec, composition, learningRate: learningRate))
  }

  /// Records a step.
  func record(_ step: StepReport) throws {
    try lines.append(step.json)
    try events?.scalars(
      [
        ("train/loss", step.loss), ("train/learning_rate", step.learningRate),
        ("train/gradient_norm", step.gradientNorm), ("train/examples_per_second", step.examplesPerSecond),
      ], step: step.step)
  }

  /// Records a batch that was left out.
  func record(_ divergence: Divergence, epoch: Int) throws { try lines.append(divergence.json(epoch: epoch)) }

  /// Records an evaluation of the validation data.
  func record(_ evaluation: EvaluationReport, step: Int, epoch: Int) throws {
    try lines.append(evaluation.json(step: step, epoch: epoch))
    try scalars("validation", evaluation, step: step)
  }

  /// Records the test of the best adapter, and ends.
  func finish(_ tests: [EvaluationReport], step: Int) throws {
    for test in tests { try scalars("test", test, step: step) }
    try events?.end()
  }

  /// Waits until the lines are on the disk.
  func sync() throws { try lines.sync() }

  private func scalars(_ kind: String, _ evaluation: EvaluationReport, step: Int) throws {
    let prefix = severalTasks ? "\(kind)/\(evaluation.task)" : kind
    try events?.scalars(evaluation.metrics.map { ("\(prefix)/\($0.name)", $0.value) }, step: step)
  }

  private static func settings(
    _ spec: RunSpec, _ composition: Composition, learningRate: Double
  ) -> [(name: String, value: EventFile.Setting)] {
    var settings: [(name: String, value: EventFile.Setting)] = [
      ("base.model", .text(composition.modelName)),
      ("adapter.plugin", .text(composition.adapters.map(\.plugin).joined(separator: " + "))),
    ]
    // Named as their parameters are: the first one's stand under the same names in all runs.
    for (index, adapter) in composition.adapters.enumerated() {
      let owner = index == 0 ? ParameterOwner.adapter : ParameterOwner.laterAdapter(adapter.plugin)
      for (name, value) in adapter.hyperparameters.sorted(by: { $0.key < $1.key }) {
        settings.append(("\(owner).\(name)", EventFile.Setting(value)))
      }
    }
    return settings + [
      ("training.learning_rate", .number(learningRate)),
      ("training.batch_size", .number(Double(spec.training.batchSize))),
      ("training.epochs", .number(Double(spec.training.epochs))),
      ("training.optimizer", .text(spec.training.optimizer.rawValue)),
      ("training.seed", .number(Double(spec.training.seed))),
    ]
  }
}

extension EventFile.Setting {
  fileprivate init(_ value: HyperparameterValue) {
    self =
      switch value {
      case .int(let value): .number(Double(value))
      case .double(let value): .number(value)
      case .bool(let value): .flag(value)
      case .string(let value): .text(value)
      case .strings(let values): .text(values.joined(separator: ", "))
      }
  }
}
