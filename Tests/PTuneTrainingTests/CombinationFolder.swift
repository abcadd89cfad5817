import Foundation
import PTuneEngine
import PTuneFormats
import PTunePlugins
import TestSupport
import Testing

@testable import PTuneAdapters
@testable import PTuneComposition
@testable import PTuneRunFile
@testable import PTuneTraining

/// A temporary folder with data that suits every head, in which combinations are composed and trained.
final class CombinationFolder {
  private let folder: String
  private let registry = Workbench.factory().registry

  init() throws {
    var template = Array((NSTemporaryDirectory() + "/ptune-combinations-XXXXXX").utf8CString)
    folder = FilePath.normalised(String(cString: try #require(mkdtemp(&template))))
    try AtomicFile.write(SampleRows.ofEveryHead(8), to: "\(folder)/rows.jsonl")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// The base model's checkpoint; where it is of kin, links to its files beside a config.json with the base's own type.
  private func model(_ base: Combinations.Base) throws -> String {
    let checkpoint = "\(Workbench.fixtures)/\(base.folder)"
    var config = try #require(try JSONValue.read("\(checkpoint)/config.json").objectValue)
    if config["model_type"] == .string(base.name) { return checkpoint }
    let own = "\(folder)/\(base.name)"
    if FileSystem.isFile("\(own)/config.json") { return own }
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    for name in try FileSystem.entries(of: checkpoint) where name != "config.json" {
      try FileManager.default.createSymbolicLink(
        atPath: "\(own)/\(name)", withDestinationPath: "\(checkpoint)/\(name)")
    }
    config["model_type"] = .string(base.name)
    try AtomicFile.write(JSONValue.object(config).text(.line), to: "\(own)/config.json")
    return own
  }

  private func spec(_ cell: Combinations.Cell) throws -> RunSpec {
    let method = cell.method
    let selector = method.selector.map { "selector: \(Combinations.section(.selector, $0, []))" } ?? ""
    let head = Combinations.section(.taskHead, cell.head.plugin, [cell.head.variant, cell.head.needs])
    let text = """
      base: {plugin: \(cell.base.name), model: "\(try model(cell.base))"}
      adapter: \(Combinations.section(.adapter, method.adapter, method.form))
      \(selector)
      tasks:
        - head: \(head)
          data: {train: rows.jsonl, \(cell.head.data)}
      training:
        {epochs: \(cell.head.steps), batch_size: 8, weight_decay: 0, warmup_steps: 0, schedule: constant,
        checkpoint_every: never, threads: 1}
      output: \(folder)/out
      """
    return try RunSpec.parse(text, file: "\(folder)/run.yaml", overrides: [])
  }

  private func compose(_ cell: Combinations.Cell) throws -> TrainingRun {
    try TrainingRun(spec(cell), registry: registry) { _, _ in }
  }

  /// Why a combination is refused; nil for one that is not. Other errors than a refusal's are thrown.
  func refusal(_ cell: Combinations.Cell) throws -> String? {
    do {
      _ = try compose(cell)
      return nil
    } catch let failure as EngineFailure {
      return short("\(failure.component): \(failure.reason)")
    } catch let error as CompositionError {
      return short(error.description)
    } catch let error as DataError {
      return short(error.description)
    }
  }

  /// Without what differs from folder to folder.
  private func short(_ reason: String) -> String {
    Combinations.bases.reduce(reason) { $0.replacing("\(folder)/\($1.name)", with: "MODEL") }
      .replacing("\(folder)/", with: "").replacing(#/run\.yaml:\d+: /#, with: "")
      .replacing(#/\/[^ ']*\/Fixtures\/[a-z0-9-]+/#, with: "MODEL")
  }

  struct Trained {
    let losses: [Double]
    /// Whether the adapter learnt anything itself, beside the head.
    let adapterMoved: Bool
    /// What the trained adapter says, and what the one that was saved and loaded does.
    let scores, loadedScores: [[Float]]
    let predictions: Int
    let metrics: [Double]
  }

  /// Trains a combination and loads what was saved.
  func train(_ cell: Combinations.Cell) throws -> Trained {
    let run = try compose(cell)
    let adapter = run.composition.model.trainedParameters.filter { $0.owner == "adapter" }
    let start = adapter.map(\.array)
    var losses: [Double] = []
    let result = try Trainer(run) { if case .step(let step) = $0 { losses.append(step.loss) } }
      .train(resume: false) { false }
    let moved = zip(adapter, start).contains { $0.array != $1 }

    let loaded = try AdapterRun(result.adapter, baseModel: nil, threads: 1, registry: registry) { _, _ in }
    let examples = run.examples[0].train
    var data = loaded.composition.tasks[0].data
    data.train.value = "\(folder)/rows.jsonl"
    var predictions = 0
    try Predictor(loaded, task: 0, data: [data]).predict(rowsOf: data.train.value) { _ in predictions += 1 }
    return Trained(
      losses: losses, adapterMoved: moved,
      scores: try run.composition.scores(examples, task: 0, batchSize: 3).perExample,
      loadedScores: try loaded.composition.scores(examples, task: 0, batchSize: 3).perExample,
      predictions: predictions,
      metrics: try loaded.evaluate(data, task: 0, batchSize: 8) { _, _ in }.metrics.map(\.value))
  }
}

extension TrainableParameter {
  fileprivate var array: [Float] { Array(UnsafeBufferPointer(start: values, count: count)) }
}
