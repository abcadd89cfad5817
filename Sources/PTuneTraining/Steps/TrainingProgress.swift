import PTuneComposition
import PTuneEngine
import PTuneFormats

/// How far a training has come: with the parameters and the optimiser's moments, all that decides how it goes on.
struct TrainingProgress {
  /// Steps of the optimiser taken.
  var step = 0
  /// Passes over the data completed.
  var epoch = 0
  /// Batches of the present pass done.
  var batch = 0
  /// Evaluations since the best one.
  var evaluationsWithoutBest = 0
  /// Whether early stopping ended the training.
  var isFinished = false
  /// Seconds so far.
  var seconds = 0.0
  /// The loss of the last step.
  var loss = 0.0
  /// Decides which losses have exploded.
  var watch = DivergenceWatch()
  /// The step of the best adapter.
  var bestStep = 0
  /// The evaluations of the best adapter, one for each task with validation data.
  var best: [EvaluationReport] = []
  /// The best adapter's values, per parameter; empty before the first evaluation.
  var bestValues: [[Float]] = []

  /// The pass that the last batch belongs to, counted from 1.
  var pass: Int { batch == 0 ? max(1, epoch) : epoch + 1 }

  mutating func startNextEpoch() {
    epoch += 1
    batch = 0
  }
}

extension StepReport {
  /// A line of metrics.jsonl.
  var json: JSONValue {
    [
      "event": "step", "step": .int(step), "epoch": .int(epoch), "loss": .double(loss),
      "learning_rate": .double(learningRate), "gradient_norm": .double(gradientNorm),
      "examples_per_second": .double(examplesPerSecond),
    ]
  }
}

extension EvaluationReport {
  /// A line of metrics.jsonl.
  func json(step: Int, epoch: Int) -> JSONValue {
    var line: JSONObject = [
      "event": "evaluation", "step": .int(step), "epoch": .int(epoch), "task": .string(task),
      "examples": .int(examples), "metrics": .object(values), "seconds": .double(seconds),
    ]
    line["selection"] = selection?.json
    return .object(line)
  }

  /// The metrics as an object, in the order in which the head stated them.
  public var values: JSONObject {
    var object = JSONObject()
    for metric in metrics { object[metric.name] = .double(metric.value) }
    return object
  }
}
