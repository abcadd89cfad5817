import PTunePlugins

/// The lines of YAML with which a run names a component: all hyperparameters at their defaults, to paste and edit.
struct RunFileSnippet {
  let lines: [String]

  init(_ component: ComponentDescription) {
    let opening: [String]
    switch component.kind {
    case .baseModel: opening = ["base:", "  plugin: \(component.name)", "  model: ORGANISATION/NAME"]
    case .adapter: opening = ["adapter:", "  plugin: \(component.name)"]
    case .selector: opening = ["selector:", "  plugin: \(component.name)"]
    case .taskHead:
      opening = ["tasks:", "  - name: my-task", "    head:", "      plugin: \(component.name)"]
    }
    let indent = component.kind == .taskHead ? "      " : "  "
    let entries = component.schema.parameters.map { parameter in
      (text: "\(indent)\(parameter.name): \(yaml(parameter))", note: note(parameter))
    }
    let width = entries.map(\.text.count).max() ?? 0
    lines =
      opening
      + entries.map { entry in
        entry.note.isEmpty
          ? entry.text
          : entry.text + String(repeating: " ", count: width - entry.text.count) + "  # " + entry.note
      }
  }
}

/// The default, or something of the right type where the user has to choose. Schema literals are YAML too.
private func yaml(_ parameter: Schema.Parameter) -> String {
  if let value = parameter.defaultValue { return value.description }
  switch (parameter.limits, parameter.type) {
  case (.choices(let choices), .string): return HyperparameterValue.string(choices[0]).description
  case (.choices(let choices), .strings): return HyperparameterValue.strings(choices).description
  case (.range(let lowest?, _), _): return lowest.description
  case (.range(_, let highest?), _): return highest.description
  case (_, .int), (_, .long): return "1"
  case (_, .float), (_, .double): return "1.0"
  case (_, .bool): return "true"
  case (_, .string): return "\"\""
  case (_, .strings): return "[]"
  }
}

private func note(_ parameter: Schema.Parameter) -> String {
  let required = parameter.defaultValue == nil ? "required" : ""
  let limits = parameter.limits?.description ?? ""
  return [required, limits, parameter.documentation].filter { !$0.isEmpty }.joined(separator: "; ")
}
