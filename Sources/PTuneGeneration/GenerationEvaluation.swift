import PTuneAdapters
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTuneText

extension AdapterRun {
  /// Goes on with the prompts of a file's rows and compares the texts with what they might have been: the column of the
  /// second text, which holds a text or a JSON list of several, or the last turn of `messages`.
  ///
  /// - Parameters:
  ///   - data: the columns, and the file as `train`.
  ///   - progress: called with the number of texts done so far.
  ///   - take: takes each text, with its references, in the order of the rows.
  /// - Throws: `DataError` for a row without a reference, `TextError`, `EngineFailure`, `CancellationError`.
  public func evaluateGeneration(
    _ data: DataSpec, task: Int, options: GenerationOptions, isInterrupted: () -> Bool = { false },
    progress: (_ done: Int, _ count: Int) throws -> Void,
    take: (_ text: GeneratedText, _ references: [String]) throws -> Void = { _, _ in }
  ) throws -> EvaluationReport {
    guard composition.reading(task: task) == .continuedText else {
      throw GenerationError.head(composition.tasks[task].head.plugin)
    }
    let clock = ContinuousClock()
    let start = clock.now
    let model = try GenerationModel(self, task: task)
    let path = data.train.value
    let reader = try RowReader(path: path, format: data.format, header: data.header, text: data.text.value)
    var (prompts, references): ([GenerationPrompt], [[String]]) = ([], [])
    while prompts.count < data.maximumRows ?? .max, let row = try reader.next() {
      references.append(try Self.references(row, data))
      prompts.append(try model.prompt(row, place: "\(path):\(row.line)"))
    }
    var (metrics, next) = (GenerationMetrics(), prompts.makeIterator())
    try Generator(model, options).run(
      { next.next() }, isInterrupted: isInterrupted,
      take: { text in
        let known = references[metrics.count]
        metrics.add(text.text, references: known)
        try take(text, known)
        try progress(metrics.count, prompts.count)
      })
    return EvaluationReport(
      task: composition.tasks[task].name, examples: metrics.count, metrics: metrics.metrics,
      seconds: (clock.now - start) / .seconds(1))
  }

  private static func references(_ row: Row, _ data: DataSpec) throws -> [String] {
    if let pair = data.textPair, let text = row[pair.value] {
      let several = JSONValue.texts(text)
      guard several?.isEmpty != true else {
        throw DataError.row(
          path: row.columns.path, line: row.line, reason: "'\(pair.value)' is an empty list of references")
      }
      return several ?? [text]
    }
    if let json = row[RowSource.messagesColumn], let last = try? ChatMessage.conversation(json: json).last,
      last.role == "assistant", let content = last.content
    {
      return [content]
    }
    throw DataError.row(
      path: row.columns.path, line: row.line,
      reason: "there is no reference: neither a second text (--text-pair-column) nor an answer in 'messages'")
  }
}
