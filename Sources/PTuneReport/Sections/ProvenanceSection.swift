import PTuneFormats
import PTuneTerminal

/// What a run was made from and with, and how to make it again.
struct ProvenanceSection {
  let run: RunFolder
  let id: String
  var level = 2

  var section: Section {
    Section(
      id: id, title: level == 2 ? "How it was made" : "How \(run.name) was made",
      body: [facts, plugins, reproduce, runFile], level: level)
  }

  private var facts: Markup {
    var rows: [(String, String)] = [("model", run.model)]
    func add(_ name: String, _ value: JSONValue?) {
      switch value {
      case .string(let text)?: rows.append((name, text))
      case .int(let number)?: rows.append((name, NumberText.grouped(number)))
      case .double(let number)?: rows.append((name, "\(number)"))
      case .bool(let flag)?: rows.append((name, flag ? "yes" : "no"))
      case .array(let values)?:
        rows.append((name, values.compactMap(\.stringValue).joined(separator: ", ")))
      default: break
      }
    }
    add(
      "weights, SHA-256",
      run.results?["base"]?["weights_sha256"] ?? run.ownDocument?["base"]?["weights_sha256"])
    rows.append(("adapter", run.method))
    let adapters = run.adapters
    for adapter in adapters {
      let owner = adapters.count > 1 ? adapter["plugin"]?.stringValue ?? "adapter" : "adapter"
      for (name, value) in adapter["hyperparameters"]?.objectValue ?? JSONObject() {
        add("\(owner), \(name)", value)
      }
    }
    for task in run.tasks {
      let counts = task.examples.map { "\(NumberText.grouped($0.count)) \($0.part)" }
      rows.append(("examples of \(task.name)", counts.joined(separator: ", ")))
    }
    add("most tokens of a text", run.results?["maximum_length"])
    add("learning rate", run.results?["learning_rate"])
    add("threads", run.results?["threads"])
    add("ptune", run.results?["ptune_version"])
    add("finished", run.results?["finished"])
    return .table(
      id: "\(id)-facts", class: "wrapping", caption: "Model, method and data.", header: ["what", "value"],
      rows: rows.map { [Markup($0.0), .data($0.1)] })
  }

  private var plugins: Markup {
    let plugins = run.results?["plugins"]?.arrayValue ?? []
    guard !plugins.isEmpty else { return .none }
    return .table(
      id: "\(id)-plugins", class: "wrapping", caption: "Plugins.",
      header: ["component", "kind", "version", "file", "SHA-256"],
      rows: plugins.map { plugin in
        ["name", "kind", "version", "file", "sha256"].map { key in
          let text = plugin[key]?.stringValue ?? ""
          return ["file", "sha256"].contains(key) ? Markup("code", [.data(text)]) : .data(text)
        }
      })
  }

  private var reproduce: Markup {
    guard !run.runFile.isEmpty else { return .none }
    guard !run.runFile.hasPrefix(ResumedRun.mark) else {
      return .list([
        Markup("h\(level + 1)", text: "Again"),
        Markup(
          "p",
          text:
            "This training went on with other settings after an interruption, so no single command makes the adapter "
            + "again. The run file begins with what they were before."),
      ])
    }
    return .list([
      Markup("h\(level + 1)", text: "Again"),
      Markup(
        "p",
        text:
          "The same ptune on the same machine with the same number of threads makes the same adapter, bit for bit:"
      ),
      Markup("pre", [Markup("code", text: "ptune train \(run.path)/run.yaml --output again")]),
    ])
  }

  private var runFile: Markup {
    guard !run.runFile.isEmpty else { return .none }
    return .list([
      Markup("h\(level + 1)", text: "Run file"), Markup("pre", ["id": "\(id)-run-file"], text: run.runFile),
    ])
  }
}
