import PTuneComposition
import PTuneFormats

/// Why a training does not begin or go on.
public enum TrainingError: HelpfulError, Equatable {
  /// Another process trains into this folder.
  case outputInUse(folder: String)
  /// A checkpoint of another run.
  case otherRun(checkpoint: String, reason: String)
  /// The run is not the one that its folder's checkpoint is of, and that was not accepted or comes too late.
  case changed(RunChange, accepted: Bool)
  /// A trained adapter that the run cannot extend or start from; `place` is where the run says so.
  case otherAdapter(RunPlace, reason: String, help: String)
  /// The values of a trained adapter do not fit what the run makes.
  case otherShapes(adapter: String, tensor: String, reason: String)
  /// A task that is added to an adapter has no parameters of its own.
  case nothingToTrain
}

extension TrainingError {
  /// What went wrong, where.
  public var description: String {
    switch self {
    case .outputInUse(let folder): "another ptune is training into '\(folder)'"
    case .otherRun(let checkpoint, let reason): "\(checkpoint): \(reason)"
    case .changed(let change, accepted: false):
      "\(change.output) was trained to step \(change.step) with other settings: \(change.changes)"
    case .changed(let change, accepted: true):
      "\(change.output) was trained to step \(change.step) with other settings, and no step is left that the new ones "
        + "would count for: \(change.changes)"
    case .otherAdapter(let place, let reason, _): "\(place): \(reason)"
    case .otherShapes(let adapter, let tensor, let reason):
      "the run cannot start from \(adapter): tensor '\(tensor)' \(reason)"
    case .nothingToTrain: "nothing is left to train: the new task has no parameters of its own"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .outputInUse: "wait until it ends, or give this run another folder with --output"
    case .otherRun: "it belongs to another run; give another output folder, or train without --resume"
    case .changed(_, accepted: false):
      "give the same settings, or another --output; with --accept-changes the training goes on, with a result that is "
        + "neither run's"
    case .changed(_, accepted: true):
      "raise training.epochs or training.max_steps, or train into another --output"
    case .otherAdapter(_, _, let help): help
    case .otherShapes:
      "leave hyperparameters of the adapter and of heads out of the run file: they are the adapter's"
    case .nothingToTrain: "take a head with parameters, or an adapter that keeps some for each task"
    }
  }
}

/// How a run differs from the one that its folder's checkpoint is of.
public struct RunChange: Equatable, Sendable {
  /// The folder.
  public let output: String
  /// The step of the checkpoint.
  public let step: Int
  /// What was and what is: "training.batch_size was 8 and is 4; …".
  public let changes: String
}
