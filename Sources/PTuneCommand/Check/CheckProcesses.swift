import ArgumentParser
import PTuneFormats
import PTuneLibc
import PTunePlugins
import PTuneTesting

/// What a child process of `ptune check-plugin` checks.
enum CheckedPart: ExpressibleByArgument {
  /// The entry function, with a host that has nothing.
  case entry
  /// A component.
  case component(ComponentKind, String)

  /// "entry", "adapter/my-method".
  init?(argument: String) {
    if argument == "entry" {
      self = .entry
      return
    }
    let parts = argument.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2, let kind = ComponentKind(rawValue: parts[0]) else { return nil }
    self = .component(kind, parts[1])
  }

  var argument: String {
    switch self {
    case .entry: "entry"
    case .component(let kind, let name): "\(kind.rawValue)/\(name)"
    }
  }

  static let entryTitle = "it survives a host of another version without interfaces"
}

/// The child's side: runs the checks and reports each on descriptor 3, a line of JSON before and after it.
enum CheckChild {
  /// Does not return.
  static func run(_ part: CheckedPart, _ plugin: CheckedPlugin, _ options: CheckOptions) throws -> Never {
    switch part {
    case .entry:
      send(["began": .string(CheckedPart.entryTitle)])
      let refusal = try PluginProbe.enterWithoutInterfaces(plugin.file)
      send(ConformanceResult(CheckedPart.entryTitle, .passed, refusal.map { "refuses: \($0)" } ?? ""))
    case .component(let kind, let name):
      let component = try plugin.inventory.component(kind, named: name)
      let suite = PluginConformance(plugin.bench, component, try options.conformance(component))
      suite.run(began: { send(["began": .string($0)]) }, ended: { send($0) })
    }
    send(["done": true])
    // NB: without the exit handlers of the plugin.
    _exit(0)
  }

  private static func send(_ result: ConformanceResult) {
    send([
      "check": .string(result.check), "outcome": .string(result.outcome.rawValue),
      "detail": .string(result.detail),
    ])
  }

  private static func send(_ line: JSONValue) {
    if !Output.write(line.text(.line) + "\n", to: 3) { _exit(1) }
  }
}

/// The parent's side: starts a child for a part and reads what it reports.
struct CheckParent {
  let executable, file: String
  let options: CheckOptions
  let timeout: Duration

  /// What the child found; a check in which it ended has failed.
  func results(of part: CheckedPart) -> [ConformanceResult] {
    var child: PluginProcess
    do {
      child = try PluginProcess(
        executable,
        arguments: ["check-plugin", file, "--in-child", part.argument] + options.arguments,
        environment: Output.environment)
    } catch {
      return [ConformanceResult("its checks can be run", .failed, error.text)]
    }
    var reader = Reader()
    let ending = follow(&child, &reader)
    child.end()
    guard let ending else { return reader.results }
    let said = reader.said.map { ": \($0)" } ?? ""
    return reader.results + [
      ConformanceResult(reader.current ?? "its checks can be run", .failed, "\(ending)\(said)")
    ]
  }

  /// How the child ended before it was done; nil if it was.
  private func follow(_ child: inout PluginProcess, _ reader: inout Reader) -> String? {
    let clock = ContinuousClock()
    var deadline = clock.now + timeout
    while true {
      let left = clock.now.duration(to: deadline)
      guard left > .zero else { return "it did not finish within \(timeout / .seconds(1)) s" }
      child.wait(atMost: left)
      // NB: whether it has ended is asked before its last words are read.
      let ending = child.ending()
      reader.hear(child.readOutput())
      if reader.read(child.readReport()) { deadline = clock.now + timeout }
      if reader.isDone { return nil }
      // An error of the child's own, such as a hyperparameter that does not fit, has a status and its words.
      if let ending { return ending == .exit(1) || ending == .exit(64) ? "it cannot start" : "it \(ending)" }
    }
  }

  /// Takes lines of JSON apart.
  private struct Reader {
    private(set) var results: [ConformanceResult] = []
    private(set) var current: String?
    private(set) var isDone = false
    private var line: [UInt8] = []
    private var output: [UInt8] = []

    /// The first line with words that the child wrote to standard error.
    var said: String? {
      let lines = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isNewline)
      return lines.first { $0.contains(where: \.isLetter) }.map {
        $0.hasPrefix("error: ") ? String($0.dropFirst(7)) : String($0)
      }
    }

    mutating func hear(_ bytes: [UInt8]) {
      if output.count < 4096 { output += bytes }
    }

    /// True if something arrived.
    mutating func read(_ bytes: [UInt8]) -> Bool {
      for byte in bytes {
        if byte == UInt8(ascii: "\n") {
          take(String(decoding: line, as: UTF8.self))
          line.removeAll(keepingCapacity: true)
        } else {
          line.append(byte)
        }
      }
      return !bytes.isEmpty
    }

    private mutating func take(_ line: String) {
      guard let message = try? JSONValue.parse(line) else { return }
      if let title = message["began"]?.stringValue { current = title }
      if message["done"]?.boolValue == true { isDone = true }
      if let check = message["check"]?.stringValue,
        let outcome = message["outcome"]?.stringValue.flatMap(ConformanceResult.Outcome.init(rawValue:))
      {
        results.append(ConformanceResult(check, outcome, message["detail"]?.stringValue ?? ""))
        current = nil
      }
    }
  }
}
