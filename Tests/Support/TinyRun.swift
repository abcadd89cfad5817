import Foundation
import PTuneEngine
import PTuneFormats
import PTunePlugins
import Testing

import PTuneAdapters
import PTuneRunFile
import PTuneTraining

/// A run in a temporary folder: the tiny BERT of Tests/Fixtures, and made-up sentences in words of its vocabulary, of
/// which a few tell the label. The folder goes with the object.
package final class TinyRun {
  package let folder: String

  /// Writes train.tsv, dev.tsv and test.tsv.
  package init(rows: Int = 64) throws {
    var template = Array((NSTemporaryDirectory() + "/ptune-training-XXXXXX").utf8CString)
    folder = FilePath.normalised(String(cString: try #require(mkdtemp(&template))))
    var words = Words(state: 7)
    try write("train.tsv", words.table(rows: rows))
    try write("dev.tsv", words.table(rows: 24))
    try write("test.tsv", words.table(rows: 24))
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  package func path(_ name: String) -> String { "\(folder)/\(name)" }

  @discardableResult
  package func write(_ name: String, _ text: String) throws -> String {
    try AtomicFile.write(text, to: path(name))
    return path(name)
  }

  package func bytes(_ name: String) throws -> [UInt8] { try MappedFile(path(name)).withBytes { Array($0) } }

  /// The run as its file says, with `--set` flags.
  package func spec(adapter: String, output: String = "out", _ settings: [String] = []) throws -> RunSpec {
    let text = """
      base: {model: "\(Workbench.fixtures)/tiny-bert"}
      adapter: \(adapter)
      tasks:
        - name: tone
          head: {plugin: sequence-classification}
          data: {train: train.tsv, validation: dev.tsv, test: test.tsv, text: sentence}
      training: {epochs: 3, batch_size: 8, evaluate_every: 5, checkpoint_every: 7, log_every: 1, threads: 2}
      output: \(path(output))
      """
    return try RunSpec.parse(
      text, file: path("run.yaml"), overrides: try settings.map { try RunOverride(set: $0) })
  }

  /// Trains.
  ///
  /// - Parameter steps: after so many steps the user asks it to end.
  package func train(
    _ spec: RunSpec, resume: Bool = false, interruptedAfter steps: Int = .max
  ) throws -> (result: TrainingResult, losses: [Double]) {
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    var losses: [Double] = []
    var taken = 0
    let trainer = Trainer(run) { event in
      guard case .step(let step) = event else { return }
      losses.append(step.loss)
      taken = step.step
    }
    let result = try trainer.train(resume: resume) { taken >= steps }
    return (result, losses)
  }

  /// Loads what a training wrote.
  package func load(
    _ result: TrainingResult, threads: Int = 2, compute: ComputePrecision = .f32,
    log: @escaping (String) -> Void = { _ in }
  ) throws -> AdapterRun {
    try AdapterRun(
      result.adapter, baseModel: nil, threads: threads, compute: compute,
      registry: Workbench.factory().registry
    ) { log($1) }
  }
}

/// Sentences drawn from a seed.
private struct Words {
  var state: UInt64

  private static let good = ["good", "great", "fine", "best", "fun", "funny", "warm", "love", "enjoy"]
  private static let bad = ["bad", "worse", "worst", "dull", "cold", "slow", "hate", "cry", "long"]
  private static let other = [
    "the", "film", "movie", "story", "plot", "actor", "scene", "it", "was", "and", "very",
  ]

  mutating func table(rows: Int) -> String {
    var text = "sentence\tlabel\n"
    for row in 0..<rows {
      let isGood = row % 2 == 0
      var sentence = (0..<2 + next(6)).map { _ in Self.other[next(Self.other.count)] }
      for _ in 0..<2 {
        let words = isGood ? Self.good : Self.bad
        sentence.insert(words[next(words.count)], at: next(sentence.count + 1))
      }
      text += "\(sentence.joined(separator: " "))\t\(isGood ? "positive" : "negative")\n"
    }
    return text
  }

  /// Below `limit`; a linear congruential generator (Knuth, MMIX).
  private mutating func next(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}
