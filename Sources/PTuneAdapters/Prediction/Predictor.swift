import CPTune
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneText

/// What an adapter says of one row.
public struct RowPrediction: Sendable {
  /// The row's column `id` as JSON, if it has one: a number stays a number.
  public let id: String?
  /// The task.
  public let task: String
  /// The row's text, and the second one of a pair; nil for a row that has none.
  public let texts: (text: String?, pair: String?)
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
  /// Texts that were cut, and how many there were.
  private var (cut, seen) = (0, 0)

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

  /// Whether all rows are for one task.
  public var isOfOneTask: Bool { task.fixed != nil }

  /// Predicts one text, or two.
  ///
  /// - Throws: `TextError`, `EngineFailure`, `DataError` if the adapter wants two texts, ``AdapterError`` if it has to know which task
  ///   is meant.
  public func predict(_ text: String, pair: String?) throws -> RowPrediction {
    let task = try task.ofText()
    let row = try sources[task].row(text: text, pair: pair)
    let laidOut = try composition.readable(row, task: task, path: "--text")
    count(laidOut)
    defer { tellOfCuts("") }
    return try predict([(nil, 1, task, laidOut)])[0]
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
    // Who asks for batches of one row wants each prediction before the next row is read.
    let chunk = batchSize == 1 ? 1 : chunk
    // Scores over a vocabulary for every token are large: no more than a few rows' at a time.
    let largest = sources.contains { $0.reading == .continuedText } ? min(chunk, 4) : chunk
    defer { tellOfCuts("of \(InputPath.shown(path)) ") }
    let reader = try sources[0].reader(of: path)
    let name = InputPath.shown(path)
    var reachedEnd = false
    while !reachedEnd {
      var rows: [ReadRow] = []
      var failure: (any Error)?
      do {
        while rows.count < largest, !reachedEnd {
          if let row = try reader.next() {
            // The label is for `evaluate`: here a row may have any.
            let task = try task.of(row)
            let read = try sources[task].tokenize(row, labelled: false).unlabelled
            let laidOut = try composition.readable(read, task: task, path: name)
            if laidOut.padding > 0 { tellOfPadding(name, row.line) }
            count(laidOut)
            rows.append((row.json("id"), row.line, task, laidOut))
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

  private func count(_ row: LaidOutRow) {
    seen += 1
    if row.dropped > 0 { cut += 1 }
  }

  private func tellOfCuts(_ source: String) {
    guard cut > 0 else { return }
    composition.model.session.log(
      Int32(PTUNE_LOG_WARNING),
      "\(cut) of the \(seen) texts \(source)\(seen == 1 ? "is" : "are") longer than \(composition.maximumLength) tokens; what does not "
        + "fit was left out")
    (cut, seen) = (0, 0)
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
        id: rows[index].id, task: composition.tasks[task].name, texts: rows[index].laidOut.texts,
        members: members, scores: matrix, scoresTokens: model.scoresTokens(task: task),
        scoreColumns: model.scoreColumns(task: task))
    }
  }
}

extension RowPrediction {
  /// What a prediction is written with.
  public struct Contents: Sendable {
    /// Raw scores.
    public var scores = false
    /// The answers that a head lists beside the best one, its member `n_best`.
    public var nBest = true
    /// The row's texts and its task.
    public var echo = false

    /// What the head says, and what is asked for besides.
    public init(scores: Bool = false, nBest: Bool = true, echo: Bool = false) {
      (self.scores, self.nBest, self.echo) = (scores, nBest, echo)
    }
  }

  /// The prediction as keys and JSON values, in their order.
  public func parts(_ contents: Contents) -> [(key: String, json: String)] {
    func quoted(_ text: String) -> String { JSONValue.string(text).text(.line) }
    var parts: [(key: String, json: String)] = []
    if let id { parts.append(("id", id)) }
    if contents.echo {
      parts.append(("task", quoted(task)))
      if let text = texts.text { parts.append(("text", quoted(text))) }
      if let pair = texts.pair { parts.append(("text_pair", quoted(pair))) }
    }
    // What the head says wins over what was put in.
    let own = members.filter { contents.nBest || $0.key != "n_best" }
    parts = parts.map { part in
      own.contains { $0.key == part.key } ? ("input_\(part.key)", part.json) : part
    }
    return parts + own + (contents.scores ? scoreParts : [])
  }

  /// The prediction as one line of JSON, with all that the head says.
  ///
  /// - Parameter scores: whether raw scores are in it.
  public func line(scores: Bool) -> String { line(Contents(scores: scores)) }

  /// The prediction as one line of JSON.
  public func line(_ contents: Contents) -> String {
    let members = parts(contents).map { "\(JSONValue.string($0.key).text(.line)): \($0.json)" }
    // The head wrote its members itself.
    return JSONValue.escapingHidden("{\(members.joined(separator: ", "))}")
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
