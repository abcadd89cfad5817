import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneRunFile

/// All that decides how a training goes on, in one file: `step-N.safetensors`, with the numbers in its metadata.
struct TrainingCheckpoint {
  let progress: TrainingProgress
  let generator: UInt64
  let optimizer: OptimizerKind
  let optimizerStep: Int
  /// What it was trained on: digests of the tasks' training rows, by task, and of the base model.
  let origins: [String: String]
  /// "values", "best" and the optimiser's moments of each parameter, by name, and what components keep.
  let tensors: [TensorData]

  init(
    _ progress: TrainingProgress, optimizer: any Optimizer, model: Model, origins: [String: String] = [:]
  ) {
    (self.progress, self.origins) = (progress, origins)
    generator = model.session.generator.state
    self.optimizer = optimizer.kind
    optimizerStep = optimizer.step
    var tensors: [TensorData] = []
    for (index, parameter) in model.trainedParameters.enumerated() {
      let values = UnsafeBufferPointer(start: parameter.values, count: parameter.count)
      var parts = [("values", parameter.shape, Array(values))]
      parts += optimizer.moments[index].map { ($0.name, $0.shape, $0.values) }
      if !progress.bestValues.isEmpty { parts.append(("best", parameter.shape, progress.bestValues[index])) }
      tensors += parts.map { part, shape, values in
        TensorData(name: Self.name(parameter, part), shape: shape, floats: values)
      }
    }
    self.tensors =
      tensors
      + model.session.states.map {
        TensorData(
          name: "\(Self.statePrefix)\($0.owner)/\($0.name)", shape: [$0.values.count],
          floats: Array($0.values))
      }
  }

  /// Stands before the names of what components keep.
  static let statePrefix = "state/"

  static func name(_ parameter: TrainableParameter, _ part: String) -> String {
    "\(parameter.owner).\(parameter.name).\(part)"
  }

  /// The numbers, as JSON: exact, since JSON numbers are written to read back the same.
  var metadata: JSONValue {
    let best = progress.best.map { evaluation -> JSONValue in
      [
        "task": .string(evaluation.task), "examples": .int(evaluation.examples),
        "seconds": .double(evaluation.seconds),
        "metrics": .array(
          evaluation.metrics.map {
            [
              "name": .string($0.name), "value": JSONValue(exactly: $0.value),
              "higher_is_better": .bool($0.higherIsBetter),
            ]
          }),
      ]
    }
    var digests = JSONObject()
    for (name, digest) in origins.sorted(by: { $0.key < $1.key }) { digests[name] = .string(digest) }
    return [
      "format": 2, "origins": .object(digests), "step": .int(progress.step), "epoch": .int(progress.epoch),
      "batch": .int(progress.batch),
      "evaluations_without_best": .int(progress.evaluationsWithoutBest),
      "finished": .bool(progress.isFinished),
      "seconds": .double(progress.seconds), "loss": .double(progress.loss),
      "best_step": .int(progress.bestStep),
      "skipped_in_a_row": .int(progress.watch.skippedInARow), "mean_loss": .double(progress.watch.meanLoss),
      "good_steps": .int(progress.watch.goodSteps), "best": .array(best),
      "generator": .string(String(generator)),
      "optimizer": .string(optimizer.rawValue), "optimizer_step": .int(optimizerStep),
    ]
  }
}

/// The checkpoints of a run folder.
struct CheckpointStore {
  let folder: String
  let keep: Int

  private static let prefix = "step-"
  private static let suffix = ".safetensors"

  /// Writes a checkpoint, then removes the oldest ones.
  ///
  /// - Throws: `FileError`.
  func write(_ checkpoint: TrainingCheckpoint) throws {
    try FileSystem.createOwnFolder(folder)
    let name = "\(Self.prefix)\(checkpoint.progress.step)\(Self.suffix)"
    try SafetensorsWriter.write(
      checkpoint.tensors, metadata: ["ptune_training": checkpoint.metadata.text(.compact)],
      to: FilePath.join(folder, name), within: FilePath.folder(of: folder))
    for step in try steps().dropLast(keep) {
      try FileSystem.removeFile(FilePath.join(folder, "\(Self.prefix)\(step)\(Self.suffix)"))
    }
  }

  /// Removes all checkpoints.
  ///
  /// - Throws: `FileError`.
  func removeAll() throws { try Leftovers.removeAtOnce(folder) }

  /// The steps that have a checkpoint, ascending.
  private func steps() throws -> [Int] {
    guard FileSystem.isFolder(folder), !FileSystem.isLink(folder) else { return [] }
    return try FileSystem.entries(of: folder).compactMap {
      guard $0.hasPrefix(Self.prefix), $0.hasSuffix(Self.suffix) else { return nil }
      return Int($0.dropFirst(Self.prefix.count).dropLast(Self.suffix.count))
    }.sorted()
  }

  /// The latest checkpoint; nil if there is none.
  func latest() throws -> StoredCheckpoint? {
    guard let step = try steps().last else { return nil }
    return StoredCheckpoint(
      file: try SafetensorsFile(FilePath.join(folder, "\(Self.prefix)\(step)\(Self.suffix)")))
  }
}

/// A checkpoint on disk.
struct StoredCheckpoint {
  let file: SafetensorsFile

  private func wrong(_ reason: String) -> TrainingError {
    .otherRun(checkpoint: file.path, reason: reason)
  }

  /// The tasks whose training rows, and whether the base model's weights, are not those that it was trained on.
  ///
  /// - Parameter origins: those of the run.
  /// - Throws: what is wrong with its metadata.
  func changedOrigins(_ origins: [String: String]) throws -> [String] {
    guard let text = file.metadata["ptune_training"], let known = try JSONValue.parse(text)["origins"] else {
      return []
    }
    return origins.keys.sorted().filter { name in
      known[name]?.stringValue.map { $0 != origins[name] } ?? false
    }
  }

  /// Restores parameters, moments and random numbers.
  ///
  /// - Returns: how far the training had come.
  /// - Throws: ``TrainingError`` or `SafetensorsError` if the checkpoint does not belong to this run.
  func restore(optimizer: any Optimizer, model: Model) throws -> TrainingProgress {
    guard let text = file.metadata["ptune_training"] else { throw wrong("is no checkpoint of a training") }
    let numbers = try JSONValue.parse(text)
    guard let generator = numbers["generator"]?.stringValue.flatMap(UInt64.init),
      let optimizerStep = numbers["optimizer_step"]?.intValue, var progress = TrainingProgress(numbers)
    else { throw wrong("its metadata is not a training's") }
    let name = optimizer.kind.rawValue
    guard numbers["optimizer"]?.stringValue == name else {
      throw wrong(
        "is of a training with the optimizer '\(numbers["optimizer"]?.stringValue ?? "")', not '\(name)'")
    }
    for (parameter, moments) in zip(model.trainedParameters, optimizer.moments) {
      func part(_ name: String, _ shape: [Int]) throws -> [Float] {
        let full = TrainingCheckpoint.name(parameter, name)
        guard file.tensor(full)?.shape == shape else {
          throw wrong("has no tensor '\(full)' of the shape \(shape)")
        }
        return try file.floats(full).array
      }
      parameter.values.update(from: try part("values", parameter.shape), count: parameter.count)
      for moment in moments { moment.values = try part(moment.name, moment.shape) }
      if progress.bestStep > 0 { progress.bestValues.append(try part("best", parameter.shape)) }
    }
    try restoreStates(model.session)
    optimizer.step = optimizerStep
    model.session.generator.state = generator
    return progress
  }

  /// Restores what components keep.
  private func restoreStates(_ session: Session) throws {
    for name in file.names where name.hasPrefix(TrainingCheckpoint.statePrefix) {
      let parts = name.split(separator: "/", maxSplits: 2).map(String.init)
      guard parts.count == 3,
        session.restoreState(owner: parts[1], name: parts[2], values: try file.floats(name).array)
      else { throw wrong("has a state '\(name)' that the run's component does not have") }
    }
  }
}

extension TrainingProgress {
  /// Reads what a checkpoint's metadata says; nil if something is missing.
  fileprivate init?(_ json: JSONValue) {
    guard json["format"]?.intValue == 2, let step = json["step"]?.intValue,
      let epoch = json["epoch"]?.intValue,
      let batch = json["batch"]?.intValue, let without = json["evaluations_without_best"]?.intValue,
      let finished = json["finished"]?.boolValue, let seconds = json["seconds"]?.doubleValue,
      let loss = json["loss"]?.doubleValue, let bestStep = json["best_step"]?.intValue
    else { return nil }
    let watch = DivergenceWatch(
      skippedInARow: json["skipped_in_a_row"]?.intValue ?? 0, meanLoss: json["mean_loss"]?.doubleValue ?? 0,
      goodSteps: json["good_steps"]?.intValue ?? 0)
    self.init(
      step: step, epoch: epoch, batch: batch, evaluationsWithoutBest: without, isFinished: finished,
      seconds: seconds, loss: loss, watch: watch, bestStep: bestStep,
      best: json["best"]?.arrayValue?.compactMap(EvaluationReport.init) ?? [])
  }
}

extension EvaluationReport {
  /// Reads what a checkpoint's metadata says of the best evaluation.
  fileprivate init?(_ json: JSONValue) {
    guard let task = json["task"]?.stringValue, let examples = json["examples"]?.intValue,
      let seconds = json["seconds"]?.doubleValue, let metrics = json["metrics"]?.arrayValue
    else { return nil }
    self.init(
      task: task, examples: examples,
      metrics: metrics.compactMap {
        guard let name = $0["name"]?.stringValue, let value = $0["value"]?.exactDouble,
          let higher = $0["higher_is_better"]?.boolValue
        else { return nil }
        return EvaluationRecord.Metric(name: name, value: value, higherIsBetter: higher)
      }, seconds: seconds)
  }
}

extension JSONValue {
  /// A number, also one that JSON does not have: those are texts, "nan" or "inf".
  fileprivate init(exactly value: Double) { self = value.isFinite ? .double(value) : .string("\(value)") }

  /// What ``init(exactly:)`` made of a number.
  fileprivate var exactDouble: Double? { doubleValue ?? stringValue.flatMap(Double.init) }
}
