import PTuneFormats
import PTuneTerminal

/// What `ptune inspect --json` prints, as parts of a page.
struct InspectionSections {
  let document: JSONValue

  var sections: [Section] {
    var sections = [Section(id: "adapter", title: "What it is", body: [facts, tensors])]
    for (index, prompt) in (document["prompts"]?.arrayValue ?? []).enumerated() {
      sections.append(PromptPart(prompt: prompt, id: "prompt-\(index)").section)
    }
    if let similarity = document["task_similarity"]?.arrayValue {
      let names = (document["tasks"]?.arrayValue ?? []).map { $0["name"]?.stringValue ?? "" }
      let table = Self.matrix(
        similarity, names: names, id: "tasks-similarity",
        caption: "Cosines between the tasks' prompts.", corner: "task")
      sections.append(Section(id: "tasks", title: "Tasks", body: [table]))
    }
    if let attention = document["attention"] {
      sections.append(
        Section(id: "attention", title: "Attention to the prompt", body: Self.attention(attention)))
    }
    if let selection = document["selection"], let table = PoolTable(selection, id: "pool") {
      sections.append(Section(id: "selection", title: "Use of the pool", body: [table.markup(level: 3)]))
    }
    return sections
  }

  private var facts: Markup {
    var rows: [(String, String)] = []
    for adapter in document["adapters"]?.arrayValue ?? [] {
      let name = adapter["plugin"]?.stringValue ?? ""
      rows.append(("adapter", name))
      for (key, value) in adapter["hyperparameters"]?.objectValue ?? JSONObject() {
        rows.append(("\(name), \(key)", value.stringValue ?? value.text(.line)))
      }
    }
    rows.append(("base model", document["base_model"]?.stringValue ?? "not named"))
    for task in document["tasks"]?.arrayValue ?? [] {
      let labels = (task["labels"]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ", ")
      let head = task["head"]?.stringValue ?? ""
      rows.append(("task \(task["name"]?.stringValue ?? "")", labels.isEmpty ? head : "\(head): \(labels)"))
    }
    if let total = document["parameters"]?["total"]?.intValue {
      let share = document["parameters"]?["share"]?.doubleValue.map {
        ", \(NumberText.percent($0)) of the base model's"
      }
      rows.append(("parameters", NumberText.grouped(total) + (share ?? "")))
    }
    return .table(
      id: "adapter-facts", class: "wrapping", caption: "Components and counts.", header: ["what", "value"],
      rows: rows.map { [.data($0.0), .data($0.1)] })
  }

  private var tensors: Markup {
    .table(
      id: "adapter-tensors",
      caption: "The tensors of its file: L2 norm and root mean square.",
      header: ["tensor", "shape", "norm", "rms"], numbersFrom: 1,
      rows: (document["tensors"]?.arrayValue ?? []).map { tensor in
        let shape = (tensor["shape"]?.arrayValue ?? []).map { $0.text(.line) }.joined(separator: "×")
        return [
          .data(tensor["name"]?.stringValue ?? ""), Markup(shape),
          Markup(NumberText.fixed(tensor["norm"]?.doubleValue ?? .nan, 3)),
          Markup(NumberText.fixed(tensor["rms"]?.doubleValue ?? .nan, 4)),
        ]
      })
  }

  /// Cosines, the darker the larger.
  fileprivate static func matrix(
    _ rows: [JSONValue], names: [String], id: String, caption: String, corner: String
  ) -> Markup {
    let values = rows.map { ($0.arrayValue ?? []).map { $0.doubleValue ?? 0 } }
    return HeatTable(
      id: id, caption: caption + " The darker, the larger.", corner: corner, rows: names, columns: names,
      cell: { (NumberText.fixed(values[$0][$1], 2), max(0, values[$0][$1])) }, hasDiagonal: true
    ).markup
  }

  private static func attention(_ attention: JSONValue) -> [Markup] {
    let layers = attention["layers"]?.arrayValue ?? []
    func numbers(_ key: String) -> [[Double]] {
      layers.map { ($0[key]?.arrayValue ?? []).map { $0.doubleValue ?? 0 } }
    }
    func table(_ id: String, _ caption: String, columns: [String], _ values: [[Double]]) -> Markup {
      let largest = values.joined().max() ?? 1
      return HeatTable(
        id: id, caption: caption, corner: "layer", rows: layers.indices.map { "\($0)" }, columns: columns,
        cell: { (NumberText.fixed(values[$0][$1] * 100, 1), largest > 0 ? values[$0][$1] / largest : 0) }
      ).markup
    }
    let heads = numbers("heads")
    let tokens = (attention["tokens"]?.arrayValue ?? []).compactMap(\.stringValue)
    let virtual = numbers("virtual_tokens")
    let count = virtual.map(\.count).max() ?? 0
    return [
      table(
        "attention-heads", "The share of each head in percent, averaged over the tokens of the text.",
        columns: (heads.first ?? []).indices.map { "head \($0)" }, heads),
      table(
        "attention-tokens", "The share of each token of the text in percent, averaged over the heads.",
        columns: tokens,
        numbers("tokens")),
      table(
        "attention-virtual", "The share of each virtual token in percent, averaged over heads and tokens.",
        columns: (0..<count).map { "\($0)" },
        virtual.map { $0 + Array(repeating: 0, count: count - $0.count) }),
    ]
  }
}

/// The virtual tokens of one adapter.
private struct PromptPart {
  let prompt: JSONValue
  let id: String

  private var name: String { prompt["adapter"]?.stringValue ?? "" }
  private var tokens: [JSONValue] { prompt["virtual_tokens"]?.arrayValue ?? [] }
  private var entryLength: Int { prompt["entry_length"]?.intValue ?? 1 }

  var section: Section {
    let similarity = prompt["similarity"]?.arrayValue ?? []
    let what = entryLength > 1 || prompt["kind"] == "pool" ? "entries of the pool" : "virtual tokens"
    let note = prompt["note"]?.stringValue.map {
      Markup("p", ["class": "hint"], text: "\($0.prefix(1).uppercased())\($0.dropFirst()).")
    }
    return Section(
      id: id, title: "Virtual tokens of \(name)",
      body: [
        note ?? .none, table, layers,
        similarity.count > 1
          ? InspectionSections.matrix(
            similarity, names: similarity.indices.map { "\($0)" }, id: "\(id)-similarity",
            caption: "Cosines between the \(what).", corner: what)
          : .none,
      ])
  }

  private var table: Markup {
    let hasNear = tokens.contains { $0["nearest"]?.arrayValue?.isEmpty == false }
    let isPool = prompt["kind"] == "pool"
    let mean = prompt["vocabulary_norm"]?.doubleValue.map {
      " Words have a norm of \(NumberText.fixed($0, 3)) there, on average."
    }
    return .table(
      id: "\(id)-tokens", class: "wrapping",
      caption: "Norms\(hasNear ? ", and the nearest words with their cosines" : "").\(mean ?? "")",
      header: [isPool ? "entry.row" : "token", "norm"] + (hasNear ? ["nearest words"] : []),
      rows: tokens.enumerated().map { index, token in
        let near = (token["nearest"]?.arrayValue ?? []).map {
          "\($0["token"]?.stringValue ?? "") \(NumberText.fixed($0["cosine"]?.doubleValue ?? 0, 2))"
        }
        let place = isPool ? "\(index / max(1, entryLength)).\(index % max(1, entryLength))" : "\(index)"
        return [Markup(place), Markup(NumberText.fixed(token["norm"]?.doubleValue ?? .nan, 3))]
          + (hasNear ? [.list(near.flatMap { [Markup.data($0), Markup("  ")] })] : [])
      })
  }

  private var layers: Markup {
    let layers = prompt["layers"]?.arrayValue ?? []
    guard let keys = layers.first?.objectValue?.keys.filter({ $0 != "layer" }), !keys.isEmpty else {
      return .none
    }
    return .table(
      id: "\(id)-layers", caption: "Mean norms at each layer.",
      header: ["layer"] + keys.map { String($0.prefix { $0 != "_" }) }, numbersFrom: 1,
      rows: layers.map { layer in
        [Markup(layer["layer"]?.text(.line) ?? "")]
          + keys.map { Markup(NumberText.fixed(layer[$0]?.doubleValue ?? .nan, 3)) }
      })
  }
}
