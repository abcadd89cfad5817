import CPTune
import PTuneEngine
import PTuneText

extension Composition {
  /// Encodes the rows of a file to learn from or to be measured on, and says what is odd about them.
  ///
  /// - Parameter keepingRows: whether examples keep their rows, for evaluations.
  /// - Throws: ``DataError`` for a row that the head refuses, and where no row has anything to predict.
  package func examples(
    _ rows: [TokenizedRow], task: Int, path: String, keepingRows: Bool = false
  ) throws -> [EncodedExample] {
    let examples = try encode(rows, task: task, path: path, keepingRows: keepingRows)
    for example in examples {
      try model.checkRows(for: example.tokens, tokenizer, place: "\(path):\(example.line)")
    }
    warnOfSeams(rows, path)
    try checkTargets(examples, task: task, path)
    return examples
  }

  /// Lays out a row that the model is to read.
  ///
  /// - Throws: ``DataError`` for a row that does not fit, that the head refuses, or with a token that the model has no
  ///   row for.
  package func readable(_ row: TokenizedRow, task: Int, path: String) throws -> LaidOutRow {
    let laidOut = try layOut(row, task: task, path: path)
    try model.checkRows(for: laidOut.tokens, tokenizer, place: "\(path):\(row.line)")
    return laidOut
  }

  /// A head that scores tokens gives -1 to those that do not count.
  private func checkTargets(_ examples: [EncodedExample], task: Int, _ path: String) throws {
    guard model.scoresTokens(task: task) else { return }
    let empty = examples.filter { $0.integers.allSatisfy { $0 < 0 } }.map(\.line)
    if empty.isEmpty { return }
    if empty.count == examples.count { throw DataError.nothingToPredict(path: path, lines: empty) }
    warn(
      "\(path): \(empty.count) of \(examples.count) rows have no token to predict and do not count (\(RowLines(empty)))"
    )
  }

  /// What a model reads before it generates are the tokens of the prompt alone.
  private func warnOfSeams(_ rows: [TokenizedRow], _ path: String) {
    let lines = rows.filter {
      if case .continued(_, _, _, isJoined: true) = $0.content { true } else { false }
    }
    .map(\.line)
    if lines.isEmpty { return }
    warn(
      "\(path): in \(lines.count) of \(rows.count) rows the completion changes the last tokens of its prompt "
        + "(\(RowLines(lines))), which stand otherwise where the model generates; begin completions with the blank "
        + "that stands between, rather than end prompts with it")
  }

  private func warn(_ message: String) { model.session.log(Int32(PTUNE_LOG_WARNING), message) }
}

extension Model {
  /// Makes sure that the word embeddings have a row for each token.
  ///
  /// - Parameter place: where the tokens are from, for messages.
  /// - Throws: ``DataError/tokenWithoutRow(place:token:id:rows:)``.
  package func checkRows(for tokens: [Int32], _ tokenizer: any Tokenizer, place: @autoclosure () -> String)
    throws(DataError)
  {
    guard let rows = facts?.vocabularySize, let id = tokens.first(where: { $0 >= rows }) else { return }
    throw .tokenWithoutRow(place: place(), token: tokenizer.token(id) ?? "", id: Int(id), rows: rows)
  }
}
