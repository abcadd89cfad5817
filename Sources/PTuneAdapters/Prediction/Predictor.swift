import CPTune
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneText

/// What an adapter says of one row.
public struct RowPrediction: Sendable {
  /// The row's column `id`, if it has one.
  public let id: String?
  /// What the head says: keys and JSON values, in its order.
  public let members: [(key: String, json: String)]
  /// Raw scores, `[rows, columns]`: a row for each sequence or, where the head scores tokens, for each token.
  public let scores: [[Float]]
  /// Whether the head scores each token.
  public let scoresTokens: Bool
  /// Names of the columns of the scores; empty where they have none.
  public let scoreColumns: [String]
}

/// Predicts rows of a file, or of standard input, some at a time: memory does not grow with the file.
public final class Predictor {
  private let composition: Composition
  private let task: RowTask
  /// How each task's rows are read.
  private let sources: [RowSource]
  private let batchSize: Int
  private var hasToldOfPadding = false

  /// A predictor for a task of an adapter.
  ///
  /// - Parameters:
  ///   - task: its number; nil where each row says which one it is for.
  ///   - data: the columns of each task, all of one layout; their files do not matter.
  ///   - otherTextColumn: the column of the text in rows that do not have the one that `data` names.
  ///   - batchSize: rows of one forward pass.
  public init(
    _ run: AdapterRun, task: Int?, data: [DataSpec], otherTextColumn: String? = "text", batchSize: Int = 64
  ) {
    let composition = run.composition
    self.composition = composition
    self.task = RowTask(fixed: task, names: run.folder.tasks.map(\.name))
    self.batchSize = batchSize
    sources = data.enumerated().map { index, data in
      composition.source(task: index, data: data, otherTextColumn: otherTextColumn)
    }
  }

  /// Predicts one text, or two.
  ///
  /// - Throws: `TextError`, `EngineFailure`, `DataError` if the adapter wants two texts, ``AdapterError`` if it has to know which task
  ///   is meant.
  public func predict(_ text: String, pair: String?) throws -> RowPrediction {
    let task = try task.ofText()
    let row = try sources[task].row(text: text, pair: pair)
    return try predict([(nil, 1, task, composition.readable(row, task: task, path: "--text"))])[0]
  }

  /// Predicts a file's rows in their order.
  ///
  /// - Parameters:
  ///   - path: the file; `-` is standard input.
  ///   - chunk: rows that are read before they are predicted, in batches of like lengths.
  ///   - take: takes each prediction.
  /// - Throws: `TextError` or `DataError` with file and line, after the rows before that one were given to
  ///   `take`; `EngineFailure`.
  public func predict(rowsOf path: String, chunk: Int = 256, take: (RowPrediction) throws -> Void) throws {
    // Scores over a vocabulary for every token are large: no more than a few rows' at a time.
    let chunk = sources.contains { $0.reading == .continuedText } ? min(chunk, 4) : chunk
    let reader = try sources[0].reader(of: path)
    let name = path == "-" ? "standard input" : path
    var reachedEnd = false
    while !reachedEnd {
      var rows: [ReadRow] = []
      var failure: (any Error)?
      do {
        while rows.count < chunk, !reachedEnd {
          if let row = try reader.next() {
            // The label is for `evaluate`: here a row may have any.
            let task = try task.of(row)
            let read = try sources[task].tokenize(row, labelled: false).unlabelled
            let laidOut = try composition.readable(read, task: task, path: name)
            if laidOut.padding > 0 { tellOfPadding(name, row.line) }
            rows.append((row["id"], row.line, task, laidOut))
          } else {
            reachedEnd = true
          }
        }
      } catch {
        failure = error
      }
      for prediction in try predict(rows) { try take(prediction) }
      if let failure { throw failure }
    }
  }

  private func tellOfPadding(_ path: String, _ line: Int) {
    if hasToldOfPadding { return }
    hasToldOfPadding = true
    composition.model.session.log(
      Int32(PTUNE_LOG_WARNING),
      "\(path), line \(line): the scores of this row, and of others that end in padding, are read from the padding, as "
        + "PEFT does; leave the padding out for those of the text")
  }

  private typealias ReadRow = (id: String?, line: Int, task: Int, laidOut: LaidOutRow)

  private func predict(_ rows: [ReadRow]) throws -> [RowPrediction] {
    var predictions = [RowPrediction?](repeating: nil, count: rows.count)
    for task in Set(rows.map(\.task)).sorted() {
      let places = rows.indices.filter { rows[$0].task == task }
      for (place, prediction) in zip(places, try predict(places.map { rows[$0] }, task: task)) {
        predictions[place] = prediction
      }
    }
    return predictions.compactMap { $0 }
  }

  private func predict(_ rows: [ReadRow], task: Int) throws -> [RowPrediction] {
    let examples = rows.map { $0.laidOut.example(line: $0.line) }
    let (scores, columns) = try composition.scores(examples, task: task, batchSize: batchSize)
    let model = composition.model
    return try rows.indices.map { index in
      let members = try model.predict(scores[index], columns: columns, rows[index].laidOut.row, task: task)
      let matrix = stride(from: 0, to: scores[index].count, by: max(1, columns)).map {
        Array(scores[index][$0..<min($0 + columns, scores[index].count)])
      }
      return RowPrediction(
        id: rows[index].id, members: members, scores: matrix, scoresTokens: model.scoresTokens(task: task),
        scoreColumns: model.scoreColumns(task: task))
    }
  }
}

extension RowPrediction {
  /// The prediction as one line of JSON.
  ///
  /// - Parameter scores: whether raw scores are in it.
  public func line(scores withScores: Bool) -> String {
    var parts: [String] = []
    if let id { parts.append("\"id\": \(JSONValue.string(id).text(.line))") }
    parts += members.map { "\(JSONValue.string($0.key).text(.line)): \($0.json)" }
    if withScores { parts += scoreParts.map { "\(JSONValue.string($0.key).text(.line)): \($0.json)" } }
    // The head wrote its members itself.
    return JSONValue.escapingHidden("{\(parts.joined(separator: ", "))}")
  }

  /// One list for each named column; without names one for each token, or all scores of the row's only sequence. A
  /// head with one score per sequence has one list with a score for each sequence.
  private var scoreParts: [(key: String, json: String)] {
    func list(_ scores: some Sequence<Float>) -> String {
      "[\(scores.map { $0.isFinite ? "\($0)" : "null" }.joined(separator: ", "))]"
    }
    if !scoreColumns.isEmpty {
      return scoreColumns.enumerated().map { column, name in (name, list(scores.map { $0[column] })) }
    }
    if !scoresTokens, scores.count <= 1 || scores[0].count == 1 {
      return [("scores", list(scores.joined()))]
    }
    return [("scores", "[\(scores.map { list($0) }.joined(separator: ", "))]")]
  }
}
