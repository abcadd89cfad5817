import PTuneComposition
import PTuneFormats
import PTuneText

extension RunSpec {
  /// Sections where `plugin` may stand alone: `adapter: prompt-tuning`.
  static let shorthands = ["adapter", "selector", "head"]

  static let taskKeys = ["name", "weight", "head", "data"]
  static let dataKeys = [
    "train", "validation", "test", "format", "header", "text", "text_pair", "label", "template",
    "chat_template", "fields", "maximum_rows",
  ]

  /// Reads a run file and applies flags, once. Throws FileError or RunFileError.
  public static func read(_ path: String, overrides: [RunOverride] = []) throws -> RunSpec {
    try RunFile(path).run(overrides)
  }

  /// Reads the text of a run file. Throws RunFileError.
  ///
  /// - Parameter file: its path, for messages and for the paths in it.
  public static func parse(
    _ text: String, file: String, overrides: [RunOverride] = [], resolver: ModelResolver = ModelResolver(),
    currentFolder: String = FileSystem.currentFolder
  ) throws(RunFileError) -> RunSpec {
    try RunFile(text: text, path: file).run(overrides, resolver: resolver, currentFolder: currentFolder)
  }
}

/// Makes a run of what a run file says.
struct RunReader {
  let folder: String
  let currentFolder: String
  let defaultOutput: String
  let resolver: ModelResolver

  func run(_ root: RunNode) throws(RunFileError) -> RunSpec {
    let top = try RunSection(
      root, name: "",
      keys: [
        "base", "adapter", "adapters", "selector", "extend", "start_from", "tasks", "training", "output",
        "compare",
      ])
    let base = try base(try top.required("base", top.node("base")))
    let adapters = try adapters(top)
    var selector: ComponentSpec?
    if let node = top.node("selector") { selector = try component(node, "selector") }
    let tasks = try tasks(try top.required("tasks", top.node("tasks")))
    let training = try top.node("training").map { node throws(RunFileError) in try self.training(node, tasks)
    }
    if let start = top.node("start_from"), top.node("extend") != nil {
      throw RunFileError(
        place: start.place, problem: .conflict("give either 'extend' or 'start_from', not both"))
    }
    let output = try top.text("output")?.value ?? defaultOutput
    return RunSpec(
      base: base, adapters: adapters, selector: selector,
      extend: try top.text("extend").map(adapterPath),
      startFrom: try top.text("start_from").map(adapterPath),
      tasks: tasks, training: training ?? TrainingOptions(),
      output: absolute(output, from: currentFolder),
      compare: try top.node("compare").map { node throws(RunFileError) in try compare(node) })
  }

  private func compare(_ node: RunNode) throws(RunFileError) -> CompareSpec {
    let section = try RunSection(node, name: "compare", keys: ["adapters", "seeds", "grid"])
    return CompareSpec(
      adapters: try section.texts("adapters") ?? [],
      seeds: try section.integer("seeds", RunLimits(atLeast: 1, atMost: 1000)),
      grid: try section.texts("grid") ?? [])
  }

  private func base(_ node: RunNode) throws(RunFileError) -> BaseSpec {
    let section = try RunSection(node, name: "base", keys: nil)
    var model = try section.nonEmptyText("model")
    model.value = resolver.path(model.value, relativeTo: origin(model.place)) ?? model.value
    return BaseSpec(
      plugin: try section.text("plugin"), model: model,
      hyperparameters: try section.hyperparameters(except: ["plugin", "model"]))
  }

  /// The adapter, or those of the list `adapters`; at least one.
  private func adapters(_ top: RunSection) throws(RunFileError) -> [ComponentSpec] {
    guard let list = top.node("adapters") else {
      return [try component(try top.required("adapter", top.node("adapter")), "adapter")]
    }
    guard top.node("adapter") == nil else {
      throw RunFileError(
        place: list.place, problem: .conflict(RunFileError.bothAdapters))
    }
    guard case .list(let nodes) = list.content, !nodes.isEmpty else {
      let empty = if case .list = list.content { "an empty list" } else { list.kind }
      throw RunFileError(
        place: list.place, problem: .type(key: "adapters", expected: "a list of adapters", found: empty))
    }
    var adapters: [ComponentSpec] = []
    for (number, node) in nodes.enumerated() {
      let adapter = try component(node, "adapter \(number)")
      guard !adapters.contains(where: { $0.plugin.value == adapter.plugin.value }) else {
        throw RunFileError(
          place: adapter.plugin.place,
          problem: .conflict("'adapters' names '\(adapter.plugin.value)' twice; a run has one of each method")
        )
      }
      adapters.append(adapter)
    }
    return adapters
  }

  private func component(_ node: RunNode, _ name: String) throws(RunFileError) -> ComponentSpec {
    if case .scalar(let text, _) = node.content {
      return ComponentSpec(plugin: Located(text, node.place), hyperparameters: [:])
    }
    let section = try RunSection(node, name: name, keys: nil)
    return ComponentSpec(
      plugin: try section.nonEmptyText("plugin"),
      hyperparameters: try section.hyperparameters(except: ["plugin"]))
  }

  private func tasks(_ node: RunNode) throws(RunFileError) -> [TaskSpec] {
    guard case .list(let nodes) = node.content, !nodes.isEmpty else {
      let empty = if case .list = node.content { "an empty list" } else { node.kind }
      throw RunFileError(
        place: node.place, problem: .type(key: "tasks", expected: "a list of tasks", found: empty))
    }
    var tasks: [TaskSpec] = []
    for (number, node) in nodes.enumerated() {
      let task = try task(node, number, alone: nodes.count == 1)
      guard !tasks.contains(where: { $0.name == task.name }) else {
        throw RunFileError(place: node.place, problem: .conflict("two tasks have the name '\(task.name)'"))
      }
      tasks.append(task)
    }
    return tasks
  }

  private func task(_ node: RunNode, _ number: Int, alone: Bool) throws(RunFileError) -> TaskSpec {
    let section = try RunSection(node, name: "task \(number)", keys: RunSpec.taskKeys)
    var name = "task"
    if !alone || section.node("name") != nil {
      let given = try section.nonEmptyText("name")
      guard Self.isName(given.value) else {
        throw RunFileError(
          place: given.place,
          problem: .range(
            key: "name", found: "'\(given.value)'",
            rule: "must be a letter, then letters, digits, '_' and '-'"))
      }
      name = given.value
    }
    let head = try component(try section.required("head", section.node("head")), "head of task '\(name)'")
    let data = try data(try section.required("data", section.node("data")), "data of task '\(name)'")
    let weight = try section.number("weight", RunLimits(above: 0))
    return TaskSpec(name: name, weight: weight ?? 1, head: head, data: data)
  }

  private func data(_ node: RunNode, _ name: String) throws(RunFileError) -> DataSpec {
    let section = try RunSection(node, name: name, keys: RunSpec.dataKeys)
    var fields: [String: Located<String>] = [:]
    if let node = section.node("fields") {
      let columns = try RunSection(node, name: "fields", keys: nil)
      for key in columns.keys { fields[key] = try columns.text(key) }
    }
    let train = try section.nonEmptyTexts("train")
    var data = DataSpec(
      train: located(train[0]),
      validation: try section.text("validation").map(located),
      test: try section.text("test").map(located), format: try section.choice("format", DataFormat.self),
      header: try section.boolean("header"), text: try section.text("text") ?? Located("text", node.place),
      textPair: try section.text("text_pair"),
      label: try section.text("label") ?? Located("label", node.place), template: try template(section),
      chatTemplate: try section.text("chat_template").map(chatTemplate), fields: fields,
      maximumRows: try section.integer("maximum_rows", RunLimits(atLeast: 1)))
    data.furtherTrain = train.dropFirst().map(located)
    return data
  }

  /// The name of a format as it is, else an absolute path.
  private func chatTemplate(_ template: Located<String>) -> Located<String> {
    ChatTemplates.formats.contains(template.value) ? template : located(template)
  }

  private func template(_ section: RunSection) throws(RunFileError) -> Located<TextTemplate>? {
    guard let text = try section.text("template") else { return nil }
    do {
      return Located(try TextTemplate(text.value), text.place)
    } catch {
      throw RunFileError(place: text.place, problem: .conflict("'template', \(error)"))
    }
  }

  private func training(_ node: RunNode, _ tasks: [TaskSpec]) throws(RunFileError) -> TrainingOptions {
    let section = try RunSection(node, name: "training", keys: TrainingOption.all.map(\.name))
    var options = TrainingOptions(
      optimizer: try section.choice("optimizer", OptimizerKind.self) ?? .adamw)
    for option in TrainingOption.all { try option.read(section, into: &options) }
    if let steps = section.node("warmup_steps"), section.node("warmup_ratio") != nil {
      throw RunFileError(
        place: steps.place, problem: .conflict("give either 'warmup_steps' or 'warmup_ratio', not both"))
    }
    for option in TrainingOption.all where option.isForSeveralTasks && tasks.count == 1 {
      if let node = section.node(option.name) {
        throw RunFileError(
          place: node.place, problem: .conflict("'\(option.name)' is for runs with several tasks"))
      }
    }
    if let node = section.node("task_temperature"), options.taskSampling != .temperature {
      throw RunFileError(
        place: node.place, problem: .conflict("'task_temperature' needs 'task_sampling: temperature'"))
    }
    if let patience = section.node("early_stopping_patience") {
      let blind = tasks.allSatisfy { $0.data.validation == nil }
      guard !blind, options.evaluateEvery != .never else {
        let reason = blind ? "validation data" : "evaluations; 'evaluate_every' is never"
        throw RunFileError(
          place: patience.place, problem: .conflict("'early_stopping_patience' needs \(reason)"))
      }
    }
    return options
  }

  /// An absolute path, or a name on the hub as it is.
  private func adapterPath(_ adapter: Located<String>) -> Located<String> {
    Located(resolver.path(adapter.value, relativeTo: origin(adapter.place)) ?? adapter.value, adapter.place)
  }

  private func located(_ path: Located<String>) -> Located<String> {
    Located(absolute(path.value, from: origin(path.place)), path.place)
  }

  /// The folder that a path is seen from.
  private func origin(_ place: RunPlace) -> String {
    if case .file = place { folder } else { currentFolder }
  }

  private func absolute(_ path: String, from folder: String) -> String {
    if path.hasPrefix("~/"), let home = FileSystem.environment["HOME"] {
      return FilePath.normalised(home + path.dropFirst())
    }
    return FilePath.normalised(FilePath.join(folder, path))
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isASCII, first.isLetter else { return false }
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
  }
}
