import PTuneAdapters
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneRunFile

/// The README.md of an adapter folder: what the adapter is, how good it is and how it is used, with the front matter that
/// the Hugging Face hub reads.
///
/// Its last line tells whether a user has edited it since: an edited card is never touched.
struct ModelCard {
  static let fileName = AdapterFolderFiles.card

  let composition: Composition
  /// What PEFT loads it with, or the reason why it cannot.
  let peft: Result<PEFTLoading, Inexpressible>
  let spec: RunSpec
  let result: TrainingResult

  /// Why PEFT cannot have an adapter.
  struct Inexpressible: Error { let reason: String }

  /// - Throws: `EngineFailure` if the adapter cannot state what is saved.
  init(_ composition: Composition, spec: RunSpec, result: TrainingResult) throws {
    (self.composition, self.spec, self.result) = (composition, spec, result)
    let document = AdapterDocument(
      composition: composition, adapters: [try TrainedAdapter(composition, 0)],
      tasks: Array(composition.tasks.indices), maximumLength: nil)
    do {
      let expression = try PEFTExpression(
        composition, document.first.choice, task: nil, folder: result.adapter)
      let tensors = try PEFTWriter(expression: expression, document: document).tensors()
      peft = .success(PEFTLoading(expression, composition, tensors))
    } catch PEFTError.inexpressible(_, let reason, _) {
      peft = .failure(Inexpressible(reason: reason))
    }
  }

  /// Writes the card, unless there is one that somebody edited.
  ///
  /// - Returns: whether it was written.
  /// - Throws: `FileError`.
  func write() throws -> Bool {
    let path = FilePath.join(result.adapter, Self.fileName)
    guard try !FileSystem.exists(path) || Self.isUntouched(path) else { return false }
    try AtomicFile.write(Self.signed(text), to: path, within: FilePath.folder(of: result.adapter))
    return true
  }

  private static let mark = "<!-- ptune wrote this card; an edited one is kept. sha256 of what stands above: "

  private static func signed(_ text: String) -> String {
    var digest = SHA256()
    digest.update(text)
    return text + mark + digest.hexadecimal() + " -->\n"
  }

  /// Whether a card is as it was written.
  static func isUntouched(_ path: String) throws -> Bool {
    let text = try MappedFile(text: path).withBytes { String(decoding: $0, as: UTF8.self) }
    guard let place = text.range(of: mark) else { return false }
    return signed(String(text[..<place.lowerBound])) == text
  }

  private var text: String { "---\n\(frontMatter)---\n\n\(body)\n" }

  private var name: String {
    let folder = FilePath.name(of: FilePath.folder(of: FilePath.normalised(result.adapter)))
    return folder == "." ? "adapter" : folder
  }

  // MARK: - Front matter

  private func quoted(_ text: String) -> String { JSONValue.string(text).text(.line) }

  /// The base model's name on the hub; nil for a folder, which the hub does not know.
  private var baseName: String? { PEFTWriter.hubName(composition.modelName)?.repository }

  /// What the hub calls a task.
  private func pipeline(_ task: ComposedTask) -> String {
    switch task.head.plugin {
    case "token-classification": "token-classification"
    case "extractive-qa": "question-answering"
    case "causal-lm": "text-generation"
    case "masked-lm-verbalizer": "fill-mask"
    case "multiple-choice": "multiple-choice"
    default: "text-classification"
    }
  }

  /// What the hub's metrics are called, by the names that heads give theirs.
  private static let metrics = [
    "accuracy": "accuracy", "f1_macro": "f1", "f1_micro": "f1", "f1": "f1", "mcc": "matthews_correlation",
    "precision": "precision", "recall": "recall", "exact_match": "exact_match", "perplexity": "perplexity",
    "pearson": "pearsonr", "spearman": "spearmanr", "mse": "mse",
  ]

  private var frontMatter: String {
    var lines: [String] = []
    if let baseName {
      lines.append("base_model: \(quoted(baseName))")
    } else {
      lines.append("# base_model: the name of the base model on the hub; this one was trained on a folder")
    }
    if case .success = peft {
      lines.append("library_name: peft")
    } else {
      lines.append("library_name: ptune")
    }
    lines.append("pipeline_tag: \(pipeline(composition.tasks[0]))")
    lines.append("# license: yours to choose; the base model's licence may have a say in it")
    lines.append("# datasets: the names on the hub of what it was trained on")
    lines.append("tags:")
    lines +=
      (["ptune", composition.adapters[0].plugin] + (baseName.map { ["base_model:adapter:\($0)"] } ?? []))
      .map {
        "- \(quoted($0))"
      }
    let named = (result.test + result.validation).flatMap(\.metrics).compactMap { Self.metrics[$0.name] }
    let unique = named.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    if !unique.isEmpty { lines += ["metrics:"] + unique.map { "- \($0)" } }
    let results = result.test.map { ($0, "test") } + result.validation.map { ($0, "validation") }
    if !results.isEmpty {
      lines += ["model-index:", "- name: \(quoted(name))", "  results:"]
      for (report, split) in results { lines += entry(report, split) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private func entry(_ report: EvaluationReport, _ split: String) -> [String] {
    guard let task = composition.tasks.first(where: { $0.name == report.task }) else { return [] }
    let data = quoted(file(of: task, split))
    var lines = [
      "  - task:", "      type: \(pipeline(task))", "      name: \(quoted(task.name))", "    dataset:",
      "      name: \(data)", "      type: \(data)", "      split: \(split)", "    metrics:",
    ]
    for metric in report.metrics where metric.value.isFinite {
      lines += [
        "    - type: \(Self.metrics[metric.name] ?? metric.name)", "      name: \(metric.name)",
        "      value: \(metric.value)",
      ]
    }
    return lines
  }

  private func file(of task: ComposedTask, _ split: String) -> String {
    let data = spec.tasks.first { $0.name == task.name }?.data
    let file = split == "test" ? data?.test?.value : data?.validation?.value
    return file.map { FilePath.name(of: $0) } ?? "data"
  }

  // MARK: - Text

  private var body: String {
    let adapter = composition.adapters[0].plugin
    let heads = composition.tasks.map { "\($0.name) (\($0.head.plugin))" }.joined(separator: ", ")
    let base = baseName ?? FilePath.name(of: FilePath.normalised(composition.modelName))
    return """
      # \(name)

      An adapter for the frozen base model `\(base)`, \
      trained with ptune: \(adapter), \(result.trainableParameters) trained parameters, \(result.bestStep) steps. \
      Tasks: \(heads).

      \(table)## With ptune

      ```sh
      \(command(base))
      ```

      ## With PEFT

      \(python)

      """
  }

  private var table: String {
    let results = result.test.map { ($0, "test") } + result.validation.map { ($0, "validation") }
    guard !results.isEmpty else { return "" }
    let rows = results.flatMap { report, split in
      report.metrics.map {
        "| \(report.task) | \(split), \(report.examples) examples | \($0.name) | \(Self.rounded($0.value)) |"
      }
    }
    return "| task | data | metric | value |\n|---|---|---|---|\n\(rows.joined(separator: "\n"))\n\n"
  }

  private static func rounded(_ value: Double) -> String {
    value.isFinite ? "\((value * 10000).rounded() / 10000)" : "\(value)"
  }

  private func command(_ base: String) -> String {
    let task = composition.tasks[0]
    let several = composition.tasks.count > 1 ? " --task \(task.name)" : ""
    return task.head.plugin == "causal-lm"
      ? "ptune generate --base-model \(base) --adapter FOLDER\(several) --prompt \"…\""
      : "ptune predict --base-model \(base) --adapter FOLDER\(several) --text \"…\""
  }

  private var python: String {
    switch peft {
    case .success(let loading):
      "```python\n\(loading.python("FOLDER", base: baseName ?? "FOLDER OF THE BASE MODEL"))\n```"
    case .failure(let error):
      "PEFT cannot express this adapter, since \(error.reason). `ptune export` says what is possible."
    }
  }
}
