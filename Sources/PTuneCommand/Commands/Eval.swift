import ArgumentParser
import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTuneGeneration
import PTuneLibc
import PTuneTerminal

/// `ptune eval`: measures a trained adapter on labelled rows.
struct Eval: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained adapter on labelled data.",
    discussion: """
      Columns are those of the training unless flags name others. With --generate, a causal-lm adapter continues \
      the prompts, and BLEU, ROUGE-L and exact match compare the texts with the second text, which may be a JSON \
      list of several, or with the last turn of `messages`.

      Examples:
        ptune eval --adapter runs/reviews/adapter --data dev.tsv
        ptune eval --adapter runs/reviews/adapter --data other.csv --text-column review --label-column stars
        ptune eval --adapter runs/stories/adapter --data test.jsonl --generate --output texts.jsonl
      """)

  @OptionGroup var adapter: AdapterOptions

  @Option(help: ArgumentHelp("The file of labelled rows.", valueName: "file"), completion: .file())
  var data: String

  @Option(
    name: [.customLong("text-column"), .customLong("text")], parsing: .unconditional,
    help: ArgumentHelp("The column of the text.", valueName: "column"))
  var text: String?

  @Option(
    name: [.customLong("text-pair-column"), .customLong("text-pair")], parsing: .unconditional,
    help: ArgumentHelp("The column of the second text.", valueName: "column"))
  var textPair: String?

  @Option(
    name: [.customLong("label-column"), .customLong("label")], parsing: .unconditional,
    help: ArgumentHelp("The column of the label.", valueName: "column"))
  var label: String?

  @Flag(help: "Generate texts and compare them with references.")
  var generate = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "With --generate, the most tokens of a text; \(GenerationOptions().maximumTokens) if not given.",
      valueName: "n"))
  var maxNewTokens: Int?

  @Option(
    help: ArgumentHelp(
      "With --generate, write the texts and their references here, as JSON lines.", valueName: "file"))
  var output: String?

  @OptionGroup var layout: LayoutOptions

  @Flag(help: "Print one JSON document; everything else goes to standard error.")
  var json = false

  func validate() throws {
    guard (1...1_000_000).contains(maxNewTokens ?? 1) else {
      throw ValidationError("--max-new-tokens has to be within 1 and 1000000")
    }
    guard generate || maxNewTokens == nil else { throw ValidationError("--max-new-tokens needs --generate") }
    guard generate || output == nil else { throw ValidationError("--output needs --generate") }
    guard output != "-" || !json else {
      throw ValidationError("--output - and --json both write to standard output; leave one out")
    }
  }

  func run() throws {
    if let output, output != "-" { try AtomicFile.check(output: output, reading: [data]) }
    Interruption.handle()
    let run = try adapter.load()
    let task = try run.task(named: adapter.task)
    let data = layout.data(
      of: run.folder.tasks[task], file: data, text: text, textPair: textPair, label: label)
    let progress = EvaluationProgress(Console(STDERR_FILENO))
    defer { progress.end() }
    let report =
      generate
      ? try measureTexts(run, data, task, progress)
      : try run.evaluate(data, task: task, batchSize: adapter.batchSize) { done, count in
        if Interruption.isRequested { throw CancellationError() }
        progress.show(done, of: count)
      }
    progress.end()
    if json {
      Output.json(document(report, run))
    } else {
      print(report, run)
    }
  }

  private func measureTexts(
    _ run: AdapterRun, _ data: DataSpec, _ task: Int, _ progress: EvaluationProgress
  ) throws -> EvaluationReport {
    var options = GenerationOptions()
    if let maxNewTokens { options.maximumTokens = maxNewTokens }
    options.batchSize = min(options.batchSize, adapter.batchSize)
    var lines = ""
    let report = try run.evaluateGeneration(
      data, task: task, options: options, isInterrupted: { Interruption.isRequested }, progress: progress.show
    ) { text, references in
      let line: JSONValue = [
        "prompt": text.prompt.text.map { .string($0) } ?? .null, "text": .string(text.text),
        "references": .array(references.map { .string($0) }), "finish": .string(text.finish.rawValue),
      ]
      lines += line.text(.line) + "\n"
    }
    if output == "-" {
      Output.data(lines)
    } else if let output {
      try AtomicFile.write(lines, output: output, reading: [self.data])
    }
    return report
  }

  private func print(_ report: EvaluationReport, _ run: AdapterRun) {
    let active = run.folder.adapters.map(\.plugin).filter { !adapter.without.contains($0) }
    let names = active.isEmpty ? "no adapter" : active.joined(separator: " + ")
    Output.print(
      "\(names) on \(run.composition.modelName), task \(report.task): "
        + "\(NumberText.grouped(report.examples)) examples in \(NumberText.fixed(report.seconds, 1)) s\n")
    var table = TextTable("METRIC", "VALUE")
    for metric in report.metrics { table.add(metric.name, NumberText.fixed(metric.value, 4)) }
    Output.print(table)
  }

  private func document(_ report: EvaluationReport, _ run: AdapterRun) -> JSONValue {
    var document: JSONObject = [
      "adapter": .string(adapter.adapter), "base_model": .string(run.composition.modelName),
      "data": .string(data), "task": .string(report.task), "examples": .int(report.examples),
      "metrics": [report].metrics, "seconds": .double(report.seconds),
      "examples_per_second": .double(report.seconds > 0 ? Double(report.examples) / report.seconds : 0),
      "peak_memory_bytes": .int(peakMemory()), "plugins": .array(run.composition.plugins.map(\.document)),
    ]
    document["selection"] = report.selection?.json
    return .object(document)
  }
}

/// The line that an evaluation draws over on a terminal.
final class EvaluationProgress {
  private let console: Console
  private var lastDrawn: ContinuousClock.Instant?

  init(_ console: Console) { self.console = console }

  func show(_ done: Int, of count: Int) {
    let now = ContinuousClock.now
    if done < count, let lastDrawn, now - lastDrawn < .milliseconds(100) { return }
    lastDrawn = now
    console.redraw(["evaluating \(done)/\(count)"])
  }

  func end() { console.clear() }
}
