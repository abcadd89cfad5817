import PTuneComposition
import PTunePlugins

extension RunSpec {
  /// The run as a run file, every option spelled out and every path absolute: read again, it is the same run.
  public func yaml() -> String {
    var lines = RunText()
    lines.add("base:")
    if let plugin = base.plugin { lines.add("plugin", plugin.value, depth: 1) }
    lines.add("model", base.model.value, depth: 1)
    lines.add(base.hyperparameters, depth: 1)
    if adapters.count == 1 {
      lines.add("adapter", adapters[0], depth: 0)
    } else {
      lines.add("adapters:")
      for adapter in adapters {
        lines.add("  - plugin: \(RunText.quoted(adapter.plugin.value))")
        lines.add(adapter.hyperparameters, depth: 2)
      }
    }
    if let selector { lines.add("selector", selector, depth: 0) }
    if let extend { lines.add("extend", extend.value, depth: 0) }
    if let startFrom { lines.add("start_from", startFrom.value, depth: 0) }
    lines.add("tasks:")
    for task in tasks {
      lines.add("  - name: \(RunText.quoted(task.name))")
      lines.add("    weight: \(RunText.number(task.weight))")
      lines.add("head", task.head, depth: 2)
      lines.add(task.data, depth: 2)
    }
    lines.add("training:")
    for option in TrainingOption.all {
      // One of the two says how long the warm-up is.
      if option.name == "warmup_ratio" && training.warmupSteps != nil { continue }
      if option.isForSeveralTasks && tasks.count == 1 { continue }
      if option.name == "task_temperature" && training.taskSampling != .temperature { continue }
      if let text = option.text(in: training) { lines.add("  \(option.name): \(text)") }
    }
    lines.add("output", output, depth: 0)
    return lines.text
  }
}

/// The lines of a run file in the making.
package struct RunText {
  private(set) var text = ""

  mutating func add(_ line: String) {
    text += line + "\n"
  }

  mutating func add(_ key: String, _ value: String, depth: Int) {
    add("\(Self.indentation(depth))\(Self.quoted(key)): \(Self.quoted(value))")
  }

  mutating func add(_ key: String, _ component: ComponentSpec, depth: Int) {
    add("\(Self.indentation(depth))\(key):")
    add("plugin", component.plugin.value, depth: depth + 1)
    add(component.hyperparameters, depth: depth + 1)
  }

  mutating func add(_ hyperparameters: [String: Located<HyperparameterValue>], depth: Int) {
    for (key, value) in hyperparameters.sorted(by: { $0.key < $1.key }) {
      add("\(Self.indentation(depth))\(Self.quoted(key)): \(Self.written(value.value))")
    }
  }

  mutating func add(_ data: DataSpec, depth: Int) {
    add("\(Self.indentation(depth))data:")
    let texts = [
      ("train", data.train), ("validation", data.validation), ("test", data.test), ("text", data.text),
      ("text_pair", data.textPair), ("label", data.label),
    ]
    for (key, value) in texts {
      if key == "train", !data.furtherTrain.isEmpty {
        let files = ([data.train] + data.furtherTrain).map { Self.quoted($0.value) }
        add("\(Self.indentation(depth + 1))train: [\(files.joined(separator: ", "))]")
      } else if let value {
        add(key, value.value, depth: depth + 1)
      }
    }
    if let template = data.template { add("template", template.value.source, depth: depth + 1) }
    if let template = data.chatTemplate { add("chat_template", template.value, depth: depth + 1) }
    let indentation = Self.indentation(depth + 1)
    if let format = data.format { add("\(indentation)format: \(format.rawValue)") }
    if let header = data.header { add("\(indentation)header: \(header)") }
    if let rows = data.maximumRows { add("\(indentation)maximum_rows: \(rows)") }
    guard !data.fields.isEmpty else { return }
    add("\(indentation)fields:")
    for (key, column) in data.fields.sorted(by: { $0.key < $1.key }) {
      add(key, column.value, depth: depth + 2)
    }
  }

  private static func indentation(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

  private static func written(_ value: HyperparameterValue) -> String {
    switch value {
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .double(let value): number(value)
    case .string(let value): quoted(value)
    case .strings(let values): "[\(values.map(quoted).joined(separator: ", "))]"
    }
  }

  /// A number that is one for readers of YAML 1.1 too, which want a point before an exponent: "5.0e-05".
  static func number(_ number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    let text = number.description
    guard !text.utf8.contains(UInt8(ascii: ".")), let exponent = text.utf8.firstIndex(of: UInt8(ascii: "e"))
    else {
      return text
    }
    return text[..<exponent] + ".0" + text[exponent...]
  }

  /// The text as it stands if it cannot be taken for anything else, else in double quotes.
  package static func quoted(_ text: String) -> String {
    let plain = text.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (0x30...0x39).contains(byte)
        || "_-./".utf8.contains(byte)
    }
    let yaml11 = ["yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
    if plain, !yaml11, text.first != "-", case .string? = HyperparameterValue.resolve(plain: text) {
      return text
    }
    return "\"" + text.unicodeScalars.map(escaped).joined() + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\"": return "\\\""
    case "\\": return "\\\\"
    case "\n": return "\\n"
    case "\t": return "\\t"
    case "\u{0}"..<" ", "\u{7F}"..."\u{A0}", "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFE}"..."\u{FFFF}":
      let digits = String(scalar.value, radix: 16, uppercase: true)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: return String(scalar)
    }
  }
}
