import PTuneEngine
import PTuneFormats

/// All that decides how a training goes on, in one file: `step-N.safetensors`, with the numbers in its metadata.
struct TrainingCheckpoint {
  let progress: TrainingProgress
  let generator: UInt64
  let optimizerStep: Int
  /// "values", "first", "second" and "best" of each parameter, by name.
  let tensors: [TensorData]

  init(_ progress: TrainingProgress, optimizer: AdamW, model: Model) {
    self.progress = progress
    generator = model.session.generator.state
    optimizerStep = optimizer.step
    var tensors: [TensorData] = []
    for (index, parameter) in model.trainedParameters.enumerated() {
      let values = UnsafeBufferPointer(start: parameter.values, count: parameter.count)
      var parts = [
        ("values", Array(values)), ("first", optimizer.firstMoments[index]),
        ("second", optimizer.secondMoments[index]),
      ]
      if !progress.bestValues.isEmpty { parts.append(("best", progress.bestValues[index])) }
      tensors += parts.map {
        TensorData(name: Self.name(parameter, $0.0), shape: parameter.shape, floats: $0.1)
      }
    }
    self.tensors = tensors
  }

  private static func name(_ parameter: TrainableParameter, _ part: String) -> String {
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
              "name": .string($0.name), "value": .double($0.value),
              "higher_is_better": .bool($0.higherIsBetter),
            ]
          }),
      ]
    }
    return [
      "format": 2, "step": .int(progress.step), "epoch": .int(progress.epoch), "batch": .int(progress.batch),
      "evaluations_without_best": .int(progress.evaluationsWithoutBest),
      "finished": .bool(progress.isFinished),
      "seconds": .double(progress.seconds), "loss": .double(progress.loss),
      "best_step": .int(progress.bestStep),
      "best": .array(best), "generator": .string(String(generator)), "optimizer_step": .int(optimizerStep),
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
    try FileSystem.createFolder(folder)
    let name = "\(Self.prefix)\(checkpoint.progress.step)\(Self.suffix)"
    try SafetensorsWriter.write(
      checkpoint.tensors, metadata: ["ptune_training": checkpoint.metadata.text(.compact)],
      to: FilePath.join(folder, name))
    for step in try steps().dropLast(keep) {
      try FileSystem.removeFile(FilePath.join(folder, "\(Self.prefix)\(step)\(Self.suffix)"))
    }
  }

  /// Removes all checkpoints.
  ///
  /// - Throws: `FileError`.
  func removeAll() throws {
    for step in try steps() {
      try FileSystem.removeFile(FilePath.join(folder, "\(Self.prefix)\(step)\(Self.suffix)"))
    }
  }

  /// The steps that have a checkpoint, ascending.
  private func steps() throws -> [Int] {
    guard FileSystem.isFolder(folder) else { return [] }
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
    .unusable(
      "\(file.path): \(reason)",
      help: "it belongs to another run; give another output folder, or train without --resume")
  }

  /// Restores parameters, moments and random numbers.
  ///
  /// - Returns: how far the training had come.
  /// - Throws: ``TrainingError`` or `SafetensorsError` if the checkpoint does not belong to this run.
  func restore(optimizer: AdamW, model: Model) throws -> TrainingProgress {
    guard let text = file.metadata["ptune_training"] else { throw wrong("is no checkpoint of a training") }
    let numbers = try JSONValue.parse(text)
    guard let generator = numbers["generator"]?.stringValue.flatMap(UInt64.init),
      let optimizerStep = numbers["optimizer_step"]?.intValue, var progress = TrainingProgress(numbers)
    else { throw wrong("its metadata is not a training's") }
    for (index, parameter) in model.trainedParameters.enumerated() {
      func part(_ name: String) throws -> [Float] {
        let full = "\(parameter.owner).\(parameter.name).\(name)"
        guard file.tensor(full)?.shape == parameter.shape else {
          throw wrong("has no tensor '\(full)' of the shape \(parameter.shape)")
        }
        return try file.floats(full).array
      }
      parameter.values.update(from: try part("values"), count: parameter.count)
      optimizer.firstMoments[index] = try part("first")
      optimizer.secondMoments[index] = try part("second")
      if progress.bestStep > 0 { progress.bestValues.append(try part("best")) }
    }
    optimizer.step = optimizerStep
    model.session.generator.state = generator
    return progress
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
    self.init(
      step: step, epoch: epoch, batch: batch, evaluationsWithoutBest: without, isFinished: finished,
      seconds: seconds, loss: loss, bestStep: bestStep,
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
        guard let name = $0["name"]?.stringValue, let value = $0["value"]?.doubleValue,
          let higher = $0["higher_is_better"]?.boolValue
        else { return nil }
        return EvaluationRecord.Metric(name: name, value: value, higherIsBetter: higher)
      }, seconds: seconds)
  }
}
