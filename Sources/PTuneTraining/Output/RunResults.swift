import PTune
import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTuneLibc

/// `results.json`: what a training came to, in one document.
struct RunResults {
  /// What is known of a task at the end.
  struct Task {
    let name: String
    let head: String
    let labels: [String]
    let examples: TaskExamples
    let validation: EvaluationReport?
    let test: EvaluationReport?
    var predictions: PredictionFile.Count?
    var samples: [TextSample] = []
  }

  let result: TrainingResult
  let composition: Composition
  let threads: Int
  let learningRate: Double
  let tasks: [Task]

  private static let name = RunFolderFiles.results
  private static let predictionsName = RunFolderFiles.predictions

  /// The files that ``write(_:_:learningRate:evaluate:)`` makes in a run folder.
  static func files(in folder: String) -> [String] {
    [name, predictionsName].map { FilePath.join(folder, $0) }
  }

  /// Writes predictions.jsonl and results.json of a training whose best values the model has.
  ///
  /// - Parameter evaluate: measures a task where the scores of the best evaluation are not known any more, as after a
  ///   resumption.
  /// - Throws: `FileError`, `EngineFailure`.
  static func write(
    _ result: TrainingResult, _ run: TrainingRun, learningRate: Double,
    evaluate: (_ examples: [EncodedExample], _ task: Int) throws -> EvaluationReport
  ) throws {
    let (composition, options) = (run.composition, run.spec.training)
    func path(_ name: String) -> String { FilePath.join(run.spec.output, name) }
    var file =
      options.predictions > 0
      ? try PredictionFile(path(predictionsName), composition, limit: options.predictions) : nil
    var tasks: [Task] = []
    for (index, task) in composition.tasks.enumerated() {
      func report(of reports: [EvaluationReport]) -> EvaluationReport? {
        reports.first { $0.task == task.name }
      }
      let examples = run.examples[index]
      var outcome = Task(
        name: task.name, head: task.head.plugin, labels: task.labels, examples: examples,
        validation: report(of: result.validation), test: report(of: result.test))
      let isTested = outcome.test != nil
      if let heldOut = isTested ? examples.test : examples.validation {
        if options.predictions > 0 {
          let known = isTested ? outcome.test?.scored : outcome.validation?.scored
          if let scored = try known ?? evaluate(heldOut, index).scored {
            outcome.predictions = try file?.add(
              heldOut, scored, task: index, of: isTested ? "test" : "validation")
          }
        }
        outcome.samples = try TextSample.all(heldOut, composition, task: index, limit: options.samples)
      }
      tasks.append(outcome)
    }
    try file?.commit()
    let results = RunResults(
      result: result, composition: composition, threads: composition.model.session.threads.count,
      learningRate: learningRate, tasks: tasks)
    try AtomicFile.write(results.document().text(.pretty), to: path(name))
  }

  private func document() throws -> JSONValue {
    [
      "format": 1, "ptune_version": .string(Release.version), "finished": .string(Self.now()),
      "base": [
        "model": .string(composition.modelName), "plugin": .string(composition.base.plugin),
        "parameters": .int(result.baseParameters),
        "weights_sha256": .string(composition.checkpoint.fingerprint.weights),
      ],
      "adapter": [
        "plugin": .string(composition.adapters[0].plugin), "parameters": .int(result.trainableParameters),
        "bytes": .int(try adapterSize()),
      ],
      "adapters": .array(composition.adapters.map { .string($0.plugin) }),
      "maximum_length": .int(composition.maximumLength), "threads": .int(threads),
      "learning_rate": .double(learningRate), "steps": .int(result.steps),
      "best_step": .int(result.bestStep), "loss": .double(result.loss), "seconds": .double(result.seconds),
      "examples_per_second": .double(result.examplesPerSecond),
      "tasks": .array(tasks.map(\.json)), "plugins": .array(try result.plugins.map(Self.plugin)),
    ]
  }

  private func adapterSize() throws -> Int {
    try MappedFile(AdapterFolder.weights(in: result.adapter)).withBytes { $0.count }
  }

  private static func plugin(_ plugin: UsedPlugin) throws -> JSONValue {
    [
      "kind": .string(plugin.kind.rawValue), "name": .string(plugin.name),
      "version": .string(plugin.version), "file": .string(plugin.file),
      "sha256": .string(try FileDigest.sha256(plugin.file)),
    ]
  }

  /// In UTC, as ISO 8601 has it.
  private static func now() -> String {
    var seconds = time(nil)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension RunResults.Task {
  fileprivate var json: JSONValue {
    var counts: JSONObject = ["train": .int(examples.train.count)]
    counts["validation"] = examples.validation.map { .int($0.count) }
    counts["test"] = examples.test.map { .int($0.count) }
    var task: JSONObject = [
      "name": .string(name), "head": .string(head), "labels": .array(labels.map { .string($0) }),
      "examples": .object(counts),
    ]
    task["validation"] = validation?.result
    task["test"] = test?.result
    if let predictions {
      task["predictions"] = [
        "of": .string(predictions.of), "examples": .int(predictions.examples),
        "written": .int(predictions.written),
      ]
    }
    if !samples.isEmpty { task["samples"] = .array(samples.map(\.json)) }
    return .object(task)
  }
}

extension EvaluationReport {
  /// As results.json has it.
  fileprivate var result: JSONValue {
    var object: JSONObject = [
      "examples": .int(examples), "metrics": .object(values), "seconds": .double(seconds),
    ]
    object["primary"] = primary.map { .string($0.name) }
    object["higher_is_better"] = primary.map { .bool($0.higherIsBetter) }
    object["selection"] = selection?.json
    return .object(object)
  }
}
