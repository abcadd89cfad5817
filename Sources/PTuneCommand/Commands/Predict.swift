import ArgumentParser
import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTuneLibc
import PTuneTerminal
import PTuneText

/// `ptune predict`: what a trained adapter says of texts, as JSON lines.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict with a trained adapter, one line of JSON per row.",
    discussion: """
      Rows have the text column of the training, or `text`, or `input_ids`: a JSON list of token ids including \
      special tokens. Heads that arrange a row's sequences themselves, such as extractive-qa, read their fields \
      from the columns with these names. A column `id` is copied to the output. If an adapter has several tasks \
      and --task names none, each row names its own: in a column `task`, or by number from 0 in `task_id`. \
      Predictions are in the order of the rows.

      Examples:
        ptune predict --adapter runs/reviews/adapter --text "A joy from start to finish."
        ptune predict --adapter runs/reviews/adapter --input new.tsv --output predictions.jsonl
        ptune predict --adapter runs/answers/adapter --text "Who?" --text-pair "Ann said so."
      """)

  @OptionGroup var adapter: AdapterOptions

  @Option(
    parsing: .unconditionalSingleValue,
    help: ArgumentHelp("Predict this text; may be repeated.", valueName: "text"))
  var text: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The second text of a pair; the context of a question.", valueName: "text"))
  var textPair: String?

  @Option(help: ArgumentHelp("Predict the rows of this file; - is standard input.", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp("Write here instead of to standard output, which - names as well.", valueName: "file"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "How predictions are written: jsonl, csv or tsv; by default what the name of --output says, else jsonl.",
      valueName: "format"))
  var outputFormat: PredictionTable.Format?

  @Flag(help: "Add raw scores.")
  var scores = false

  @Flag(name: .customLong("n-best"), help: "Add the other answers that a head has beside the best one.")
  var nBest = false

  @Flag(help: "Repeat each row's text and task.")
  var echo = false

  @Option(parsing: .unconditional, help: ArgumentHelp("The column of the text.", valueName: "column"))
  var textColumn: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("The column of the second text.", valueName: "column"))
  var textPairColumn: String?

  @OptionGroup var layout: LayoutOptions

  func validate() throws {
    guard text.isEmpty != (input == nil) else { throw ValidationError("Give either --text or --input") }
    guard textPair == nil || !text.isEmpty else { throw ValidationError("--text-pair needs --text") }
    guard textPair == nil || text.count == 1 else {
      throw ValidationError("--text-pair goes with one --text; put pairs in a file")
    }
  }

  func run() throws {
    // Between two rows, so that no half of a file stays. A wait for standard input ends at once.
    if let output, output != "-" {
      try AtomicFile.check(output: output, reading: [input].compactMap { $0 })
      if input != "-" { Interruption.handle() }
    }
    let run = try adapter.load()
    let task = try adapter.task.map { try run.task(named: $0) }
    let data = run.folder.tasks.map { task in
      var data = layout.data(of: task, file: input ?? "", text: textColumn, textPair: textPairColumn)
      if input == InputPath.standardInput, data.format == nil { data.format = .jsonl }
      return data
    }
    let predictor = Predictor(
      run, task: task, data: data, otherTextColumn: textColumn == nil ? "text" : nil,
      batchSize: adapter.batchSize)
    if let output, output != "-" {
      let file = try AtomicFile(output: output, reading: [input].compactMap { $0 })
      // NB: written in larger pieces, since a line each would be a system call each.
      var waiting = ""
      try predict(with: predictor) { line in
        if Interruption.isRequested { throw CancellationError() }
        waiting += line + "\n"
        if waiting.utf8.count >= 1 << 16 {
          try file.write(waiting)
          waiting = ""
        }
      }
      try file.write(waiting)
      try file.commit()
    } else {
      try predict(with: predictor) { Output.data($0 + "\n") }
    }
  }

  private func predict(with predictor: Predictor, write: (String) throws -> Void) throws {
    let contents = RowPrediction.Contents(scores: scores, nBest: nBest, echo: echo)
    if format.isTable { try checkTask(predictor) }
    var table = format.isTable ? PredictionTable(format) : nil
    func put(_ prediction: RowPrediction) throws {
      guard table != nil else { return try write(prediction.line(contents)) }
      for line in try table?.lines(prediction.parts(contents)) ?? [] { try write(line) }
    }
    for text in text { try put(predictor.predict(text, pair: textPair)) }
    guard let input else { return }
    let progress = PredictionProgress(isShown: output != nil || isatty(STDOUT_FILENO) == 0)
    defer { progress.end() }
    try predictor.predict(rowsOf: input) {
      try put($0)
      progress.count()
    }
  }

  private var format: PredictionTable.Format {
    outputFormat ?? output.flatMap(PredictionTable.Format.init(path:)) ?? .jsonl
  }

  /// A table has one header, and so predictions of one task.
  private func checkTask(_ predictor: Predictor) throws {
    guard predictor.isOfOneTask else {
      throw CommandError.severalTasks
    }
  }
}

/// The line about rows that were predicted, on a terminal that the predictions do not go to.
private final class PredictionProgress {
  private let console = Console(STDERR_FILENO)
  private let isShown: Bool
  private let started = ContinuousClock.now
  private var lastDrawn = ContinuousClock.now
  private var rows = 0

  init(isShown: Bool) { self.isShown = isShown }

  func count() {
    rows += 1
    let now = ContinuousClock.now
    guard isShown, now - lastDrawn > .milliseconds(200) else { return }
    lastDrawn = now
    let seconds = Double((now - started).components.seconds) + 1e-3
    console.redraw([
      "\(NumberText.grouped(rows)) rows", "\(NumberText.grouped(Int(Double(rows) / max(1, seconds)))) rows/s",
    ])
  }

  func end() { console.clear() }
}
