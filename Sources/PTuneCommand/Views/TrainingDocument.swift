import PTuneComposition
import PTuneFormats
import PTuneTraining

extension TrainingResult {
  /// What `ptune train --json` prints.
  var document: JSONValue {
    [
      "trainable_parameters": .int(trainableParameters), "base_parameters": .int(baseParameters),
      "metrics": ["validation": validation.metrics, "test": test.metrics], "loss": .double(loss),
      "learning_rate": .double(learningRate),
      "steps": .int(steps), "best_step": .int(bestStep), "interrupted": .bool(wasInterrupted),
      "seconds": .double(seconds), "examples_per_second": .double(examplesPerSecond),
      "peak_memory_bytes": .int(peakMemory()), "adapter": .string(adapter),
      "plugins": .array(plugins.map(\.document)),
    ]
  }
}

extension UsedPlugin {
  var document: JSONValue {
    [
      "kind": .string(kind.rawValue), "name": .string(name), "version": .string(version),
      "file": .string(file),
    ]
  }
}

extension [EvaluationReport] {
  /// The metrics of each task.
  var metrics: JSONValue {
    var tasks = JSONObject()
    for report in self { tasks[report.task] = .object(report.values) }
    return .object(tasks)
  }
}
