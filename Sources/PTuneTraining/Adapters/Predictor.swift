import PTuneEngine
import PTuneFormats
import PTuneText

/// What an adapter says of one row.
public struct RowPrediction: Sendable {
  /// The row's column `id`, if it has one.
  public let id: String?
  /// What the head says: keys and JSON values, in its order.
  public let members: [(key: String, json: String)]
  /// Raw scores, `[rows, columns]`; one row unless the head scores each token.
  public let scores: [[Float]]
  /// Whether the head scores each token.
  public let scoresTokens: Bool
}

/// Predicts rows of a file, or of standard input, some at a time: memory does not grow with the file.
public final class Predictor {
  private let composition: Composition
  private let task: Int
  private let source: RowSource
  private let batchSize: Int

  /// A predictor for a task of an adapter.
  ///
  /// - Parameters:
  ///   - data: the columns; its files do not matter.
  ///   - otherTextColumn: the column of the text in rows that do not have the one that `data` names.
  ///   - batchSize: rows of one forward pass.
  public init(
    _ run: AdapterRun, task: Int, data: DataSpec, otherTextColumn: String? = "text", batchSize: Int = 64
  ) {
    composition = run.composition
    self.task = task
    self.batchSize = batchSize
    source = RowSource(
      data: data, tokenizer: composition.tokenizer, otherTextColumn: otherTextColumn,
      reading: composition.model.reading(task: task))
  }

  /// Predicts one text, or two.
  ///
  /// - Throws: `TextError`, `EngineFailure`, or ``TrainingError`` if the adapter wants two texts.
  public func predict(_ text: String, pair: String?) throws -> RowPrediction {
    if source.data.textPair != nil, pair == nil {
      throw TrainingError.unusable(
        "the adapter was trained on pairs of texts, and there is only one",
        help: "give the other one: --text-pair")
    }
    var fields = ["text": text]
    if let pair { fields["text_pair"] = pair }
    let row = TokenizedRow(line: 1, fields: fields, content: try source.content(text, pair))
    return try predict([(nil, row)], path: "--text")[0]
  }

  /// Predicts a file's rows in their order.
  ///
  /// - Parameters:
  ///   - path: the file; `-` is standard input.
  ///   - chunk: rows that are read before they are predicted, in batches of like lengths.
  ///   - take: takes each prediction.
  /// - Throws: `TextError` or ``TrainingError`` with file and line, after the rows before that one were given to
  ///   `take`; `EngineFailure`.
  public func predict(rowsOf path: String, chunk: Int = 256, take: (RowPrediction) throws -> Void) throws {
    // Scores over a vocabulary for every token are large: no more than a few rows' at a time.
    let chunk = source.reading == .continuedText ? min(chunk, 4) : chunk
    let reader = try source.reader(of: path)
    let name = path == "-" ? "standard input" : path
    var reachedEnd = false
    while !reachedEnd {
      var rows: [(id: String?, row: TokenizedRow)] = []
      var failure: (any Error)?
      do {
        while rows.count < chunk, !reachedEnd {
          if let row = try reader.next() {
            rows.append((row["id"], try checked(source.tokenize(row, labelled: false), path: name)))
          } else {
            reachedEnd = true
          }
        }
      } catch {
        failure = error
      }
      for prediction in try predict(rows, path: name) { try take(prediction) }
      if let failure { throw failure }
    }
  }

  /// The row, if it fits.
  private func checked(_ row: TokenizedRow, path: String) throws -> TokenizedRow {
    if case .tokens = row.content { _ = try composition.exampleRow(row, path: path) }
    return row
  }

  private func predict(_ rows: [(id: String?, row: TokenizedRow)], path: String) throws -> [RowPrediction] {
    // The label is for `evaluate`: here a row may have any.
    let read = try rows.map { _, row in
      let unlabelled = TokenizedRow(
        line: row.line, fields: row.fields.filter { $0.key != "label" }, content: row.content)
      let (example, dropped) = try composition.exampleRow(unlabelled, path: path)
      return (
        seen: example.row,
        encoded: EncodedExample(
          tokens: example.ids, types: example.types, integers: [], numbers: [], line: row.line,
          dropped: dropped)
      )
    }
    let examples = read.map(\.encoded)
    let (scores, columns) = try composition.scores(examples, task: task, batchSize: batchSize)
    let scoresTokens = composition.model.scoresTokens(task: task)
    return try rows.indices.map { index in
      let members = try composition.model.predict(
        scores[index], columns: columns, read[index].seen, task: task)
      let matrix = stride(from: 0, to: scores[index].count, by: max(1, columns)).map {
        Array(scores[index][$0..<min($0 + columns, scores[index].count)])
      }
      return RowPrediction(id: rows[index].id, members: members, scores: matrix, scoresTokens: scoresTokens)
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
    if withScores {
      let rows = scores.map { row in "[\(row.map { $0.isFinite ? "\($0)" : "null" }.joined(separator: ", "))]"
      }
      parts.append("\"scores\": " + (scoresTokens ? "[\(rows.joined(separator: ", "))]" : rows.first ?? "[]"))
    }
    return "{\(parts.joined(separator: ", "))}"
  }
}
