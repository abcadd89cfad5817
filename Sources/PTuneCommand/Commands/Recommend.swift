import ArgumentParser
import PTuneComparison
import PTuneComposition
import PTuneFormats
import PTuneLibc
import PTunePlugins
import PTuneRunFile
import PTuneTerminal

/// `ptune recommend`: which method to take.
struct Recommend: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Recommend a method, and say why.",
    discussion: """
      The answer follows from rules, which --rules lists with their sources. With --results, it follows from \
      measurements of `ptune compare` instead, which is better.

      Examples:
        ptune recommend --tasks 3
        ptune recommend --model google-bert/bert-base-uncased --train-examples 300 --write run.yaml
        ptune recommend --results runs/demo-comparison --objective latency
      """)

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The number of tasks for one adapter.", valueName: "n"))
  var tasks = 1

  @Option(
    help: ArgumentHelp("The base model: a folder, a GGUF file, or a name in the cache.", valueName: "model"))
  var model: String?

  @Option(
    help: ArgumentHelp("The task head; some rules apply to heads with labels for tokens.", valueName: "name"))
  var head: String?

  @Option(
    parsing: .unconditional, help: ArgumentHelp("The number of training examples.", valueName: "n"))
  var trainExamples: Int?

  @Option(help: ArgumentHelp("The memory that training may use, as in 800M or 4G.", valueName: "bytes"))
  var memory: ByteCount?

  @Option(help: "What matters most.")
  var objective = Situation.Objective.accuracy

  @Option(
    help: ArgumentHelp(
      "Choose among the results in this output folder of `ptune compare`.", valueName: "folder"))
  var results: String?

  @Option(help: ArgumentHelp("Write a run file to start with.", valueName: "run.yaml"))
  var write: String?

  @Flag(help: "List all rules.")
  var rules = false

  @Flag(help: "Print one JSON document.")
  var json = false

  @OptionGroup var plugins: PluginOptions

  func validate() throws {
    guard tasks >= 1 else { throw ValidationError("--tasks has to be at least 1") }
    guard trainExamples ?? 1 >= 1 else { throw ValidationError("--train-examples has to be at least 1") }
  }

  func run() throws {
    if rules { return list() }
    let inventory = try plugins.scanner().scan()
    var situation = Situation()
    (situation.tasks, situation.trainExamples) = (tasks, trainExamples)
    (situation.memory, situation.objective) = (memory?.bytes, objective)
    if let head { situation.head = try inventory.component(.taskHead, named: head).name }
    situation.model = try model.map { try ModelFacts($0) }
    if let results {
      try answer(try MeasuredChoice(results, situation), inventory)
    } else {
      if situation.memory != nil, situation.model == nil {
        throw RecommendationError.memoryWithoutModel
      }
      try answer(situation, inventory)
    }
  }

  // MARK: - By rules

  private func answer(_ situation: Situation, _ inventory: PluginInventory) throws {
    let applying = SelectionRule.applying(to: situation)
    let answer = applying[0]
    let method = answer.method(for: situation)
    if let write {
      let run = StarterRun(
        method, for: situation,
        comment: ["Recommended by ptune: \(answer.reason)", "(\(answer.source))."],
        name: FilePath.stem(of: write))
      try save(run.text, to: write, inventory)
    }
    if json {
      return Output.json([
        "method": .string(method), "because": .string(answer.reason), "when": .string(answer.condition),
        "source": .string(answer.source), "by": "rules",
        "alternatives": .array(
          applying.dropFirst().map {
            [
              "method": .string($0.method(for: situation)), "when": .string($0.condition),
              "source": .string($0.source),
            ]
          }),
        "run_file": write.map { .string($0) } ?? .null,
      ])
    }
    Output.print(Output.paint(method, .bold, on: STDOUT_FILENO))
    Output.print("  because  \(answer.reason)")
    Output.print("  applies  \(answer.condition)")
    Output.print("  source   \(answer.source)")
    if applying.count > 1 {
      Output.print(
        "\nNext in line: " + applying.dropFirst().map { $0.method(for: situation) }.joined(separator: ", "))
    }
    if let write {
      Output.print(
        "\n\(write) is a run file to start with: fill in your data, then `ptune train \(ShellText.quoted(write))`"
      )
    }
    Output.print(
      "\nMeasuring is better than rules: ptune compare run.yaml --adapters \(comparable(applying, situation))"
    )
  }

  private func comparable(_ rules: [SelectionRule], _ situation: Situation) -> String {
    let methods = rules.map { $0.method(for: situation) }
    let other = methods.contains("prompt-tuning") ? [] : ["prompt-tuning"]
    return (methods + other).joined(separator: ",")
  }

  // MARK: - By results

  private func answer(_ choice: MeasuredChoice, _ inventory: PluginInventory) throws {
    let answer = choice.candidates[0]
    if let write {
      let output = "runs/\(FilePath.stem(of: write))"
      let spec = try RunSpec.read(
        answer.runFile, overrides: [RunOverride(path: ["output"], text: output, flag: "--write \(write)")])
      try save(
        "# Recommended by ptune: \(choice.reason) in \(choice.file).\n" + spec.yaml(), to: write, inventory)
    }
    if json {
      return Output.json([
        "method": .string(answer.label), "because": .string(choice.reason), "source": .string(choice.file),
        "by": "results",
        "alternatives": .array(choice.candidates.dropFirst().map { ["method": .string($0.label)] }),
        "run_file": write.map { .string($0) } ?? .null,
      ])
    }
    Output.print(Output.paint(answer.label, .bold, on: STDOUT_FILENO))
    Output.print("  because  \(choice.reason)")
    for metric in answer.metrics {
      let deviation = metric.deviation.map { " ± \(NumberText.fixed($0, 4))" } ?? ""
      Output.print(
        "           \(metric.task) \(metric.metric) \(NumberText.fixed(metric.mean, 4))\(deviation) on "
          + "\(metric.measuredOn) data")
    }
    Output.print(
      "           \(NumberText.fixed(answer.latency * 1000, 2)) ms per text, "
        + "\(NumberText.fixed(answer.bytes / 1000, 1)) KB")
    Output.print("  source   \(choice.file): measured, so no rules")
    if choice.candidates.count > 1 {
      Output.print("\nNext in line: " + choice.candidates.dropFirst().map(\.label).joined(separator: ", "))
    }
    if let write { Output.print("\n\(write) is its run file: ptune train \(ShellText.quoted(write))") }
  }

  /// Writes a run file that ptune takes.
  private func save(_ text: String, to path: String, _ inventory: PluginInventory) throws {
    guard !FileSystem.exists(path) else {
      throw RecommendationError.exists(path)
    }
    try RunSpec.parse(text, file: path).check(inventory)
    try AtomicFile.write(text, to: path)
  }

  private func list() {
    if json {
      return Output.json(
        .array(
          SelectionRule.all.map {
            [
              "method": .string($0.method), "when": .string($0.condition), "because": .string($0.reason),
              "source": .string($0.source),
            ]
          }))
    }
    for (index, rule) in SelectionRule.all.enumerated() {
      Output.print("\(index + 1). \(Output.paint(rule.method, .bold, on: STDOUT_FILENO))")
      Output.print("   when     \(rule.condition)\n   because  \(rule.reason)\n   source   \(rule.source)")
    }
    Output.print("\nThe first one that applies is the answer.")
  }
}

extension Situation.Objective: ExpressibleByArgument {}

/// A number of bytes as people write it: "800M", "4G", "1.5GB".
struct ByteCount: ExpressibleByArgument {
  let bytes: Int

  init?(argument: String) {
    let digits = argument.prefix { $0.isNumber || $0 == "." }
    let powers = ["": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4]
    var unit = argument.dropFirst(digits.count).lowercased()
    if unit.count > 1, unit.hasSuffix("b") { unit.removeLast() }
    guard let number = Double(digits), let power = powers[unit], number > 0, number < 1e9 else { return nil }
    bytes = Int(number * (0..<power).reduce(1.0) { product, _ in product * 1000 })
  }
}
