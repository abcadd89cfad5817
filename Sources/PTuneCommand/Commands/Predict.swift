import ArgumentParser
import PTuneAdapters
import PTuneFormats
import PTuneLibc
import PTuneText

/// `ptune predict`: what a trained adapter says of texts, as JSON lines.
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict with a trained adapter, one line of JSON per row.",
    discussion: """
      Rows have the text column of the training, or `text`, or `input_ids`: a JSON list of token ids, special tokens \
      included. Heads that lay out rows themselves, such as extractive-qa, find their fields in the columns of these \
      names. A column `id` is handed on. Where an adapter has several tasks and --task names none, each row says which \
      one it is for: its column `task` holds the name, or `task_id` the number from 0. Predictions come in the order of \
      the rows.

      Examples:
        ptune predict --adapter runs/reviews/adapter --text "A joy from start to finish."
        ptune predict --adapter runs/reviews/adapter --input new.tsv --output predictions.jsonl
        ptune predict --adapter runs/answers/adapter --text "Who?" --text-pair "Ann said so."
      """)

  @OptionGroup var adapter: AdapterOptions

  @Option(parsing: .unconditional, help: ArgumentHelp("Predict this text.", valueName: "text"))
  var text: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The second text of a pair; the context of a question.", valueName: "text"))
  var textPair: String?

  @Option(help: ArgumentHelp("Predict the rows of this file; - is standard input.", valueName: "file"))
  var input: String?

  @Option(
    help: ArgumentHelp("Write here instead of to standard output, which - names as well.", valueName: "file"))
  var output: String?

  @Flag(help: "Add raw scores.")
  var scores = false

  @Option(parsing: .unconditional, help: ArgumentHelp("The column of the text.", valueName: "column"))
  var textColumn: String?

  @Option(parsing: .unconditional, help: ArgumentHelp("The column of the second text.", valueName: "column"))
  var textPairColumn: String?

  @OptionGroup var layout: LayoutOptions

  func validate() throws {
    guard (text == nil) != (input == nil) else { throw ValidationError("Give either --text or --input") }
    guard textPair == nil || text != nil else { throw ValidationError("--text-pair needs --text") }
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
      if input == "-", data.format == nil { data.format = .jsonl }
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
    if let text {
      try write(predictor.predict(text, pair: textPair).line(scores: scores))
    } else if let input {
      try predictor.predict(rowsOf: input) { try write($0.line(scores: scores)) }
    }
  }
}
