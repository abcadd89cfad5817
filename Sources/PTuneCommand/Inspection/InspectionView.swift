import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTuneLibc
import PTuneTerminal

/// Shows people what `ptune inspect` found out.
struct InspectionView {
  private let inspection: Inspection
  let width = Output.tableWidth(on: STDOUT_FILENO)

  init(_ inspection: Inspection) { self.inspection = inspection }

  func show() {
    for line in summary { Output.print(line) }
    section("Tensors", tensors)
    for prompt in inspection.prompts { show(prompt) }
    if let similarity = inspection.taskSimilarity {
      title("Similarity of the tasks' prompts (cosine)")
      show(similarity, names: inspection.tasks.map(\.name))
    }
    if let attention = inspection.attention { show(attention) }
    if let selection = inspection.selection { show(selection) }
    if let error = inspection.missingBase {
      Output.message("")
      Output.warning("virtual tokens and shares are not known: \(error)")
      let help =
        inspection.facts.modelName.flatMap { HubName($0) == nil ? nil : "`ptune pull \($0)` fetches it; or " }
        ?? ""
      Output.message("\(Output.paint("help:", .cyan)) \(help)name it with --base-model")
    }
  }

  func title(_ text: String) {
    Output.print("\n\(Output.paint(wrapped(text), .bold, on: STDOUT_FILENO))")
  }

  private func section(_ name: String, _ table: TextTable) {
    title(name)
    Output.print(table)
  }

  // MARK: - What it is

  private var summary: [String] {
    let facts = inspection.facts
    var lines: [(name: String, text: String)] = []
    let components = inspection.adapters.isEmpty ? facts.adapters : inspection.adapters
    for component in components {
      lines.append(("adapter", "\(component.plugin)\(Self.settings(component))"))
    }
    if let selector = facts.selector {
      lines.append(("selector", "\(selector.plugin)\(Self.settings(selector))"))
    }
    if let peft = facts.peft { lines.append(("PEFT", "\(peft.type) for \(peft.task)")) }
    if components.isEmpty {
      lines += facts.settings.map { ("", "\($0.0) \($0.1.text(.line))") }
    }
    let model = inspection.modelName ?? facts.modelName ?? "not named"
    let size = inspection.counts.map { " (\(NumberText.grouped($0.base)) parameters)" } ?? ""
    lines.append(("base model", model + size))
    let tasks =
      inspection.tasks.isEmpty ? facts.tasks.map { ($0.name, $0.head, $0.labels) } : inspection.tasks
    for (name, head, labels) in tasks {
      let labels = labels.isEmpty ? "" : ": \(labels.prefix(8).joined(separator: ", "))"
      lines.append(("task", "\(name), \(head)\(labels)"))
    }
    lines.append(("parameters", parameters))
    let writer = [
      facts.ptuneVersion.map { "ptune \($0)" }, facts.peftVersion.map { "PEFT \($0)" },
    ].compactMap { $0 }.joined(separator: ", ")
    lines.append(
      (
        "file",
        "\(NumberText.fixed(Double(facts.bytes) / 1e3, 1)) KB" + (writer.isEmpty ? "" : ", by \(writer)")
      )
    )
    let indent = (lines.map(\.name.count).max() ?? 0) + 2
    return lines.flatMap { line -> [String] in
      let parts = wrappedLines(line.text, width: max(20, width == .max ? .max : width - indent))
      return parts.enumerated().map { index, part in
        let name = index == 0 ? line.name : ""
        return name + String(repeating: " ", count: indent - name.count) + part
      }
    }
  }

  private static func settings(_ component: ComponentChoice) -> String {
    let settings = component.hyperparameters.sorted { $0.key < $1.key }
      .map { "\($0.key)=\($0.value)" }
    return settings.isEmpty ? "" : " (\(settings.joined(separator: ", ")))"
  }

  private var parameters: String {
    guard let counts = inspection.counts else {
      return "\(NumberText.grouped(inspection.facts.parameters)) in the file"
    }
    let parts = counts.parts.map { "\($0.owner) \(NumberText.grouped($0.count))" }
    return "\(parts.joined(separator: ", "))"
      + (counts.parts.count > 1 ? "; together \(NumberText.grouped(counts.total))" : "")
      + ", \(NumberText.percent(counts.share)) of the base model's"
  }

  private var tensors: TextTable {
    var table = TextTable(
      ["TENSOR", "SHAPE", "TYPE", "NORM", "RMS"],
      alignments: [.leading, .trailing, .leading, .trailing, .trailing])
    for tensor in inspection.facts.tensors {
      table.add(
        tensor.name, tensor.shape.map(String.init).joined(separator: "×"), tensor.type,
        NumberText.fixed(tensor.norm, 3), NumberText.fixed(tensor.rootMeanSquare, 4))
    }
    return table
  }

  // MARK: - Prompts

  private func show(_ prompt: PromptInspection) {
    let what =
      switch prompt.kind {
      case .input: "rows among the word embeddings"
      case .hidden: "rows before the layers' inputs"
      case .keysAndValues: "keys and values of layers"
      case .pool: "a pool of \(prompt.similarity.count) prompts of \(prompt.entryLength)"
      }
    let several =
      inspection.tasks.count > 1 && prompt.kind != .pool ? ", of the task \(inspection.task ?? "")" : ""
    title("Virtual tokens of \(prompt.adapter)\(several): \(what)")
    Output.print(prompt.kind == .pool ? entries(prompt) : tokens(prompt))
    if let norm = prompt.vocabularyNorm {
      Output.print("\nWords have a norm of \(NumberText.fixed(norm, 3)) there, on average.")
    }
    if let note = prompt.note {
      Output.print("\n\(wrapped("\(note.prefix(1).uppercased())\(note.dropFirst())."))")
    }
    if prompt.layers.count > 0 { section("Norms by layer", layers(prompt)) }
    guard prompt.similarity.count > 1 else { return }
    title("How much \(prompt.kind == .pool ? "the entries" : "they") are alike (cosine)")
    show(prompt.similarity, names: prompt.similarity.indices.map { "\($0)" })
  }

  func wrapped(_ text: String) -> String {
    wrappedLines(text, width: width).joined(separator: "\n")
  }

  private func tokens(_ prompt: PromptInspection) -> TextTable {
    let hasNear = prompt.tokens.contains { !$0.near.isEmpty }
    var table = TextTable(
      ["TOKEN", "NORM"] + (hasNear ? ["NEAREST WORDS"] : []), alignments: [.trailing, .trailing])
    for (index, token) in prompt.tokens.enumerated() {
      table.add("\(index)", NumberText.fixed(token.norm, 3), Self.words(token.near))
    }
    return table
  }

  /// An entry a line: the words that are nearest to any of its rows.
  private func entries(_ prompt: PromptInspection) -> TextTable {
    let hasNear = prompt.tokens.contains { !$0.near.isEmpty }
    var table = TextTable(
      ["ENTRY", "MEAN NORM"] + (hasNear ? ["NEAREST WORDS"] : []), alignments: [.trailing, .trailing])
    for entry in prompt.similarity.indices {
      let rows = prompt.tokens.dropFirst(entry * prompt.entryLength).prefix(prompt.entryLength)
      var near: [PromptInspection.Near] = []
      for word in rows.flatMap(\.near).sorted(by: { $0.cosine > $1.cosine })
      where !near.contains(where: { $0.id == word.id }) { near.append(word) }
      let norm = rows.reduce(0) { $0 + $1.norm } / Double(max(1, rows.count))
      let count = rows.map(\.near.count).max() ?? 0
      table.add("\(entry)", NumberText.fixed(norm, 3), Self.words(near.prefix(count)))
    }
    return table
  }

  private static func words(_ near: some Sequence<PromptInspection.Near>) -> String {
    near.map { "\(visible($0.token)) \(NumberText.fixed($0.cosine, 2))" }.joined(separator: "  ")
  }

  /// A token's text with what nobody would see of it: blanks, and what a terminal takes for a command.
  static func visible(_ token: String) -> String {
    String(
      token.flatMap { character -> String in
        character.isWhitespace
          || character.unicodeScalars.contains { $0.properties.generalCategory == .control }
          ? character.unicodeScalars.map { "\\u{\(String($0.value, radix: 16))}" }.joined()
          : String(character)
      })
  }

  private func layers(_ prompt: PromptInspection) -> TextTable {
    let parts = prompt.layers.first?.norms.map(\.part) ?? []
    var table = TextTable(
      ["LAYER"] + parts.map { $0.uppercased() },
      alignments: Array(repeating: .trailing, count: parts.count + 1))
    for layer in prompt.layers {
      table.add(["\(layer.layer)"] + layer.norms.map { NumberText.fixed($0.mean, 3) })
    }
    return table
  }
}
