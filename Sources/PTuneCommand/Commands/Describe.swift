import ArgumentParser
import PTuneLibc
import PTunePlugins
import PTuneTerminal

/// `ptune describe NAME`: all that a component says of itself.
struct Describe: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Describe a component and its hyperparameters.",
    discussion: """
      Examples:
        ptune describe prefix-tuning
        ptune describe attention --json
      """)

  @Argument(help: "The component, as `ptune list-plugins` shows it.", completion: .components())
  var name: String

  @Option(help: "Its kind, if two kinds have a component with this name.")
  var kind: ComponentKind?

  @Flag(help: "Print one JSON document.")
  var json = false

  @OptionGroup var plugins: PluginOptions

  func run() throws {
    let component = try plugins.scanner().scan().component(kind, named: name)
    if json {
      try Output.json(ComponentDocument(component))
    } else {
      print(component)
    }
  }

  private func print(_ component: ComponentDescription) {
    let plugin = component.plugin
    Output.print(
      "\(Output.paint(component.name, .bold, on: 1)) (\(component.kind.noun)): \(component.summary)")
    let width = Output.tableWidth(on: STDOUT_FILENO)
    if !component.documentation.isEmpty { Output.print() }
    for line in component.documentation.split(separator: "\n", omittingEmptySubsequences: false) {
      for part in wrappedLines(String(line), width: width) { Output.print(part) }
    }
    Output.print()
    if component.schema.parameters.isEmpty {
      Output.print("It has no hyperparameters.")
    } else {
      var table = TextTable("HYPERPARAMETER", "TYPE", "DEFAULT", "ALLOWED", "MEANING")
      for parameter in component.schema.parameters {
        table.add(
          parameter.name, parameter.type.rawValue, parameter.defaultValue?.description ?? "(required)",
          parameter.limits.map(allowed) ?? "", parameter.documentation)
      }
      if table.leastWidth <= width {
        Output.print(table)
      } else {
        for parameter in component.schema.parameters { print(parameter, width: width) }
      }
    }
    Output.print("\nIn a run file:\n")
    for line in RunFileSnippet(component).lines { Output.print("  " + line) }
    Output.print("\nPlugin \(plugin.id) \(plugin.version) (\(plugin.runtime))\n\(plugin.file)")
  }

  /// A hyperparameter by itself, where a terminal is too narrow for the table.
  private func print(_ parameter: Schema.Parameter, width: Int) {
    let value = parameter.defaultValue.map { "default \($0)" } ?? "required"
    let facts = [parameter.type.rawValue, value, parameter.limits.map(allowed) ?? ""]
    for line in wrappedLines(
      "\(parameter.name): " + facts.filter { !$0.isEmpty }.joined(separator: "; "), width: width)
    { Output.print(line) }
    for line in wrappedLines(parameter.documentation, width: max(20, width - 4)) {
      Output.print("    " + line)
    }
  }

  private func allowed(_ limits: Schema.Limits) -> String {
    switch limits {
    case .choices(let choices): choices.joined(separator: ", ")
    case .range(let lowest?, let highest?): "\(lowest) to \(highest)"
    case .range(let lowest?, nil): "\(lowest) or more"
    case .range(nil, let highest?): "\(highest) or less"
    case .range(nil, nil): ""
    }
  }
}

/// What `ptune describe --json` prints.
private struct ComponentDocument: Encodable {
  struct Parameter: Encodable {
    let name, type: String
    let required: Bool
    let `default`, minimum, maximum: HyperparameterValue?
    let choices: [String]?
    let documentation: String

    init(_ parameter: Schema.Parameter) {
      name = parameter.name
      type = parameter.type.rawValue
      required = parameter.defaultValue == nil
      `default` = parameter.defaultValue
      documentation = parameter.documentation
      switch parameter.limits {
      case .range(let lowest, let highest): (minimum, maximum, choices) = (lowest, highest, nil)
      case .choices(let all): (minimum, maximum, choices) = (nil, nil, all)
      case nil: (minimum, maximum, choices) = (nil, nil, nil)
      }
    }
  }

  let kind, name, summary, documentation, schema: String
  let hyperparameters: [Parameter]
  let needs: [String]
  let example: String
  let plugin, version, runtime, file: String

  init(_ component: ComponentDescription) {
    kind = component.kind.rawValue
    name = component.name
    summary = component.summary
    documentation = component.documentation
    schema = component.schema.description
    hyperparameters = component.schema.parameters.map(Parameter.init)
    needs = component.needs
    example = RunFileSnippet(component).lines.joined(separator: "\n")
    plugin = component.plugin.id
    version = component.plugin.version
    runtime = component.plugin.runtime
    file = component.plugin.file
  }
}
