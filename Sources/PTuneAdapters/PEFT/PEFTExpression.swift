import PTune
import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins

/// A trained adapter in PEFT's terms, if it has some: method, task type, and a transformers class that has the head.
package struct PEFTExpression {
  /// The method.
  let method: PEFTMethod
  /// What it is for.
  let type: PEFTHead.TaskType
  /// How the class of that type is made for the base model.
  let layout: PEFTHead.Layout
  /// The numbers of its tasks, in the order of PEFT's ids.
  let tasks: [Int]
  /// How the class names its linear layers.
  let sites: PEFTSites
  private let adapter: ComponentChoice

  /// - Parameters:
  ///   - adapter: the tuning method as it is saved.
  ///   - task: the number of the only task to express; nil for all of them.
  /// - Throws: ``PEFTError/inexpressible(folder:reason:help:)``, which names every setting that PEFT does not have.
  package init(_ composition: Composition, _ adapter: ComponentChoice, task: Int?, folder: String)
    throws(PEFTError)
  {
    func refused(_ reason: String, _ help: String) -> PEFTError {
      .inexpressible(folder: folder, reason: reason, help: help)
    }
    guard composition.adapters.count == 1 else {
      let names = composition.adapters.map { "'\($0.plugin)'" }.joined(separator: " and ")
      throw refused(
        "it has \(names) together, and a PEFT folder has one", "train one of them alone")
    }
    guard
      let (method, settings) = PEFTMethod.all.lazy.compactMap({ method in
        method.settings(of: adapter.plugin).map { (method, $0) }
      }).first
    else {
      let known = PEFTMethod.all.flatMap { [$0.plugin] + $0.others.keys.sorted() }
      throw refused(
        "it has no method like '\(adapter.plugin)'",
        "\(adapter.plugin == "prompt-pool" ? "keep one of its entries for all texts with --select, or " : "")"
          + "train one of \(known.joined(separator: ", ")) instead")
    }
    let tasks = task.map { [$0] } ?? Array(composition.tasks.indices)
    guard method.isMultitask || tasks.count == 1 else {
      throw refused(
        "it has several tasks (\(composition.tasks.map(\.name).joined(separator: ", "))), and \(method.type) has one",
        "name one of them with --task")
    }
    let heads = tasks.map { composition.tasks[$0] }
    guard let type = Self.types[heads[0].head.plugin] else {
      throw refused(
        "it has no task like '\(heads[0].head.plugin)'",
        "the heads that it has are \(Self.types.keys.sorted().joined(separator: ", "))")
    }
    let family = composition.checkpoint.config.modelType
    guard let layout = PEFTHead.layout(type, family: family, has: composition.checkpoint.hasOwn) else {
      throw refused(
        "ptune does not know transformers' class for \(type.rawValue) with the model_type '\(family ?? "null")'",
        "use a base model of another family")
    }
    (self.method, self.type, self.layout, self.tasks) = (method, type, layout, tasks)
    if !method.attaches || PEFTSites.knows(family) {
      sites = PEFTSites(type, family: family)
    } else {
      let names = composition.model.parameters.filter { $0.owner == ParameterOwner.adapter }.map(\.name)
      let layers = PEFTSites.layers(names)
      guard
        let found = PEFTSites(
          family: family, layers: layers, hasWeight: composition.checkpoint.weights.has)
      else {
        throw refused(
          "ptune does not know what transformers calls the layers of the model_type '\(family ?? "null")', and the "
            + "checkpoint has no weight 'model.\(layers.first ?? "").weight' that would tell",
          "use it with ptune, or take a checkpoint that was saved with the class of its task")
      }
      sites = found
    }
    self.adapter = adapter
    try checkPEFTRunsIt(composition, refused)
    try checkSettings(composition, settings, refused)
    try checkHeads(composition, refused)
  }

  private typealias Refusal = (_ reason: String, _ help: String) -> PEFTError

  /// What each head is for.
  private static let types: [String: PEFTHead.TaskType] = [
    "sequence-classification": .sequenceClassification, "regression": .sequenceClassification,
    "token-classification": .tokenClassification, "extractive-qa": .questionAnswering,
    "causal-lm": .causalLM,
  ]

  /// What PEFT and transformers refuse, or do otherwise, whatever the settings are.
  private func checkPEFTRunsIt(_ composition: Composition, _ refused: Refusal) throws(PEFTError) {
    let config = composition.checkpoint.config
    if !method.promptAtInput, !method.attaches, config.modelType == "distilbert" {
      throw refused(
        "transformers' DistilBERT accepts no external keys and values, so PEFT cannot run \(method.type) on it",
        "train prompt-tuning or p-tuning, or use a BERT or RoBERTa model")
    }
    if method.isMultitask, type == .questionAnswering {
      throw refused(
        "PEFT cannot run \(method.type) for \(type.rawValue)",
        "train prompt-tuning or prefix-tuning for this task")
    }
    let hasTypes = (config.value("type_vocab_size")?.intValue ?? 1) > 1
    if hasTypes, composition.input.usesTokenTypes != (type != .questionAnswering) {
      throw refused(
        type == .questionAnswering
          ? "it was trained with token types, and PEFT passes none to models that answer questions"
          : "it was trained without token types, and PEFT passes them to the model",
        "use a base model without token types, such as a RoBERTa or DistilBERT model")
    }
  }

  /// That everything that decides what is computed is as PEFT and transformers have it.
  private func checkSettings(
    _ composition: Composition, _ settings: [String: HyperparameterValue], _ refused: Refusal
  ) throws(PEFTError) {
    var reasons: [String] = []
    var flags: [String] = []
    func compare(
      _ choice: ComponentChoice, _ expected: [String: HyperparameterValue], _ what: String, _ path: String
    ) {
      for (name, wanted) in expected.sorted(by: { $0.key < $1.key }) {
        guard let own = choice.hyperparameters[name] else { continue }
        let effective = effective(own, of: name, composition)
        guard effective != wanted else { continue }
        reasons.append("'\(name)' of \(what) is \(effective), and there it is \(wanted)")
        flags.append("--set \(path).\(name)=\(wanted)".replacing("\"", with: ""))
      }
    }
    compare(adapter, settings, adapter.plugin, "adapter")
    for task in tasks {
      let composed = composition.tasks[task]
      guard Self.types[composed.head.plugin] == type else {
        throw refused(
          "it has one head for all tasks, and '\(composed.name)' has a different one from "
            + "'\(composition.tasks[tasks[0]].name)'", "name one of the tasks with --task")
      }
      compare(composed.head, layout.settings, "the head of '\(composed.name)'", "tasks.\(task).head")
    }
    guard reasons.isEmpty else {
      throw refused(
        reasons.joined(separator: "; "), "train with \(flags.joined(separator: " "))")
    }
  }

  /// A hyperparameter in the one of its spellings that ``PEFTMethod`` and ``PEFTHead`` use.
  private func effective(
    _ value: HyperparameterValue, of name: String, _ composition: Composition
  ) -> HyperparameterValue {
    guard let facts = composition.model.facts else { return value }
    return switch (name, value) {
    case ("pooling", .string("automatic")): .string(facts.causal ? "last" : "mean")
    // Without a prompt at the input the text's first token is the first row.
    case ("pooling", .string("cls")) where !method.promptAtInput: .string("first")
    case ("hidden_size", .int(facts.hiddenSize)), ("depth", .int(facts.layers)): .int(0)
    default: value
    }
  }

  /// That all tasks have the same head, which is the only one that PEFT has.
  private func checkHeads(_ composition: Composition, _ refused: Refusal) throws(PEFTError) {
    let first = composition.model.exportHead(task: tasks[0])
    for task in tasks.dropFirst() {
      let other = composition.model.exportHead(task: task)
      let isSame =
        first.count == other.count
        && zip(first, other).allSatisfy {
          $0.name == $1.name && $0.shape == $1.shape && $0.values == $1.values
        }
      guard isSame else {
        throw refused(
          "it has one head for all tasks, and those of '\(composition.tasks[tasks[0]].name)' and "
            + "'\(composition.tasks[task].name)' were trained separately", "name one of the tasks with --task"
        )
      }
    }
  }
}
