import PTuneAdapters
import PTuneComposition
import PTuneText

/// How long an adapter takes for texts: medians of forward passes over rows that are tokenised already.
public struct InferenceTiming: Sendable {
  /// Seconds for one row by itself.
  public let singleSeconds: Double
  /// Seconds for a batch.
  public let batchSeconds: Double
  /// Rows of that batch.
  public let batchRows: Int
}

extension AdapterRun {
  /// Times a task on the first rows of a file.
  ///
  /// - Parameters:
  ///   - data: the columns, and the file as `train`.
  ///   - rows: rows of the batch; all of the file if it has fewer.
  /// - Throws: `TextError` or `DataError` with file and line; `EngineFailure`.
  public func timeInference(_ data: DataSpec, task: Int, rows: Int = 32) throws -> InferenceTiming {
    var data = data
    data.maximumRows = min(data.maximumRows ?? rows, rows)
    let path = data.train.value
    let source = RowSource(
      data: data, tokenizer: composition.tokenizer, chat: composition.chat,
      reading: composition.reading(task: task))
    let examples = try composition.encode(
      try source.rows(of: path, labelled: true), task: task, path: path, keepingRows: true)
    func seconds(_ examples: [EncodedExample]) throws -> Double {
      let start = ContinuousClock.now
      _ = try composition.scores(examples, task: task, batchSize: examples.count, forEvaluation: true)
      return (ContinuousClock.now - start) / .seconds(1)
    }
    // Weights are packed and memory is taken in the first passes.
    for _ in 0..<2 { _ = try seconds(examples) }
    let batch = try (0..<5).map { _ in try seconds(examples) }
    _ = try seconds([examples[0]])
    let single = try examples.map { try seconds([$0]) }
    return InferenceTiming(
      singleSeconds: Self.median(single), batchSeconds: Self.median(batch), batchRows: examples.count)
  }

  private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
