import ArgumentParser
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneTesting

/// `ptune check-plugin FILE`: what a plugin has to hold before others rely on it.
struct CheckPlugin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check-plugin",
    abstract: "Check a plugin: registration, documentation, gradients, determinism, saving, leaks.",
    discussion: """
      Each component runs in a child process on tiny models in memory, so a plugin that crashes or hangs fails its \
      check and nothing else. The exit status is 1 if a check failed.

      Examples:
        ptune check-plugin ./libptune_my_method.so
        ptune check-plugin ./libptune_my_method.so --set virtual_tokens=5 --parity tests/parity.json
        ptune check-plugin ./libptune_my_model.so --model tiny-model
      """)

  @Argument(help: "The plugin's file.", completion: .file(extensions: ["so", "dylib"]))
  var file: String

  @OptionGroup var options: CheckOptions

  @Option(help: ArgumentHelp("Only this component.", valueName: "name"))
  var component: String?

  @Option(help: ArgumentHelp("How long a single check may take.", valueName: "seconds"))
  var timeout = 60.0

  @Flag(help: "Print one JSON document.")
  var json = false

  @Option(help: .hidden)
  var inChild: CheckedPart?

  func validate() throws {
    guard timeout > 0, timeout < 86_400 else { throw ValidationError("--timeout has to be above 0") }
  }

  func run() throws {
    let bench = CheckedPlugin(
      file: FilePath.normalised(FilePath.join(FileSystem.currentFolder, file)))
    if let inChild { try CheckChild.run(inChild, bench, options) }
    var report = CheckReport(bench.file)
    let inventory = bench.inventory
    var own = inventory
    own.components.removeAll { $0.plugin.file != bench.file }
    let wanted =
      try component.map { own.components.isEmpty ? [] : [try own.component(nil, named: $0)] }
      ?? own.components
    for component in wanted {
      _ = try CheckedComponent(component, options.conformance(component).hyperparameters)
    }
    report.add(registration(inventory, bench.file))
    report.add(try ExportedSymbols.check(bench.file))
    let parent = CheckParent(
      executable: executablePath() ?? CommandLine.arguments[0], file: bench.file, options: options,
      timeout: .seconds(timeout))
    if !own.components.isEmpty { report.add(parent.results(of: .entry)) }
    for description in wanted {
      report.begin(description)
      report.add(PluginConformance.documentation(of: description))
      report.add(parent.results(of: .component(description.kind, description.name)))
    }
    if json { try Output.json(report) } else { report.print() }
    if report.failures > 0 { throw ExitCode(1) }
  }

  /// Whether ptune would use it.
  private func registration(_ inventory: PluginInventory, _ file: String) -> ConformanceResult {
    let title = "ptune registers it"
    let reasons =
      inventory.rejected.filter { $0.path == file || file.hasPrefix($0.path + "/") }.map { rejection in
        rejection.help.map { "\(rejection); \($0)" } ?? "\(rejection)"
      } + inventory.shadowed.filter { $0.path == file }.map(\.description)
    guard reasons.isEmpty else { return ConformanceResult(title, .failed, reasons.joined(separator: "; ")) }
    guard let plugin = inventory.plugins.first(where: { $0.file == file }) else {
      return ConformanceResult(title, .failed, "its name is not libptune_*.so, so it is ignored")
    }
    return ConformanceResult(title, .passed, "\(plugin.id) \(plugin.version) (\(plugin.runtime))")
  }
}

/// What the user can say about the components of a plugin that is checked.
struct CheckOptions: ParsableArguments {
  @Option(
    name: .customLong("set"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Set a hyperparameter, as in virtual_tokens=5; may be repeated.", valueName: "name=value"))
  var settings: [String] = []

  @Option(
    name: .customLong("model"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "A small model for the checks of a base model; may be repeated if the plugin has several.",
      valueName: "folder"))
  var models: [String] = []

  @Option(
    help: ArgumentHelp(
      "Rows for the checks of a task head, one JSON object per line.", valueName: "file.jsonl"))
  var rows: String?

  @Option(
    help: ArgumentHelp("Reference values to compare with; see Docs/check-plugin.md.", valueName: "file.json"))
  var parity: String?

  /// As flags again, for the child.
  var arguments: [String] {
    settings.flatMap { ["--set", $0] }
      + models.flatMap { ["--model", $0] }
      + [("--rows", rows), ("--parity", parity)].flatMap { flag, value in
        value.map { [flag, $0] } ?? []
      }
  }

  /// What the suite takes, with the values of `--set` as the component's schema has them.
  func conformance(_ component: ComponentDescription) throws -> PluginConformance.Options {
    var options = PluginConformance.Options()
    options.models = models
    options.parity = try parity.map { try ParityFile($0) }
    options.rows = try rows.map { try Self.rows($0) }
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw ValidationError("--set \(setting): expected NAME=VALUE") }
      let name = String(parts[0])
      let type = component.schema.parameters.first { $0.name == name }?.type
      options.hyperparameters[name] = value(String(parts[1]), type)
    }
    return options
  }

  private func value(_ text: String, _ type: ParameterType?) -> HyperparameterValue {
    switch type {
    case .string: .string(text)
    case .strings:
      .strings(text.split(separator: ",").map { $0.trimmingPrefix(" ") }.map(String.init))
    case .bool: Bool(text).map { .bool($0) } ?? .string(text)
    case .int, .long, .float, .double, nil:
      Int(text).map { .int($0) } ?? Double(text).map { .double($0) } ?? .string(text)
    }
  }

  /// The rows of a file; what is no text is handed on as JSON, as data files do.
  private static func rows(_ path: String) throws -> [[String: String]] {
    let text = try MappedFile(path).text()
    return try text.split(whereSeparator: \.isNewline).map { line in
      let row = try JSONValue.parse(String(line), file: path).objectValue ?? JSONObject()
      return row.reduce(into: [:]) { fields, member in
        fields[member.0] = member.1.stringValue ?? member.1.text(.line)
      }
    }
  }
}

/// The file that is checked, found as ptune finds plugins, beside those that are installed.
struct CheckedPlugin {
  let file: String

  private var search: PluginSearch {
    PluginSearch(
      options: [FilePath.folder(of: file)], environment: [:], executable: executablePath())
  }
  private var prober: Prober {
    Prober(executable: executablePath() ?? CommandLine.arguments[0], environment: Output.environment)
  }

  /// What there is.
  var inventory: PluginInventory { PluginScanner(search: search, prober: prober).scan() }

  /// Puts components into models.
  var bench: PluginBench { PluginBench(search: search, prober: prober) }
}
