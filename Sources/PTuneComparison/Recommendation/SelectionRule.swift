/// A rule that says which method to take. The first one that applies is the answer.
///
/// They are the selection section of the playbook of prompt tuning, item by item, with the conditions that its items
/// leave to the reader made explicit, and what papers and ptune's own measurements add.
public struct SelectionRule: Sendable {
  /// What is recommended: an adapter with hyperparameters, as `ptune compare --adapters` takes it.
  public let method: String
  /// When it applies.
  public let condition: String
  /// Why.
  public let reason: String
  /// Where that comes from.
  public let source: String
  /// Whether it applies.
  let applies: @Sendable (Situation) -> Bool

  private init(
    _ method: String, when condition: String, because reason: String, source: String,
    _ applies: @escaping @Sendable (Situation) -> Bool
  ) {
    (self.method, self.condition, self.reason, self.source) = (method, condition, reason, source)
    self.applies = applies
  }

  /// Fewer examples than this are few (Li & Liang 2021 test 50 to 500).
  static let fewExamples = 500
  /// From this size on a prompt at the input does as well as deeper ones (Lester et al. 2021, figure 1).
  static let largeModel = 10_000_000_000

  /// All rules, in their order.
  public static let all = [
    SelectionRule(
      "multitask-prompt-tuning:form=factors", when: "several tasks; size matters most",
      because: "one shared prompt, and for each task only the factors of a small matrix",
      source: "Wang et al. 2023 (MPT)"
    ) { $0.tasks > 1 && $0.objective == .size },
    SelectionRule(
      "prefix-tuning", when: "several tasks; latency matters most",
      because:
        "no rows are added to the layers and nothing is selected; the tasks share the prefix and have their own "
        + "heads",
      source: "Docs/architecture.md, segment attention"
    ) { $0.tasks > 1 && $0.objective == .latency },
    SelectionRule(
      "multitask-prompt-tuning:selector=task", when: "several tasks",
      because:
        "each task selects from a shared pool by itself, and tasks can be added later (train --extend); where they "
        + "need less of that, prompt-pool:selector=attention is simpler",
      source: "playbook, selection, items 1 and 2"
    ) { $0.tasks > 1 },
    SelectionRule(
      "p-tuning-v2:depth=HALF",
      when: "memory for less than twice the base model's weights and their packed copies",
      because:
        "prompts at the upper half of the layers: nothing below them is differentiated or kept for the gradient",
      source: "Liu et al. 2022, prompt depth; Docs/architecture.md, computing"
    ) { $0.isTight },
    SelectionRule(
      "prefix-tuning:initialization=sampled-vocabulary",
      when: "500 examples or fewer, and size does not matter most",
      because:
        "with few examples, initialisation decides; keys and values of real words vary less than random ones",
      source: "Li & Liang 2021, section 7.4"
    ) { ($0.trainExamples ?? .max) <= fewExamples && $0.objective != .size },
    SelectionRule(
      "prompt-tuning", when: "size matters most, or a base model of 10 billion parameters or more",
      because:
        "the smallest file, P·H numbers, and with large models as good as any; P-tuning saves the same file and "
        + "also trains an encoder, which did not help in our measurement",
      source: "playbook, selection, item 3; Lester et al. 2021, figure 1; Docs/quality.md"
    ) { $0.objective == .size || ($0.model?.parameters ?? 0) >= largeModel },
    SelectionRule(
      "prefix-tuning", when: "latency matters most",
      because: "only attention sees the virtual tokens; rows at the input go through every layer like text",
      source: "Docs/architecture.md, segment attention"
    ) { $0.objective == .latency },
    SelectionRule(
      "p-tuning-v2", when: "a label for each token or a part of the text, or a base model that writes text",
      because: "prompts at every layer reach deeper into the model, with dropout against overfitting",
      source: "playbook, selection, item 3; Liu et al. 2022, section 4"
    ) { $0.model?.isCausal == true || $0.labelsTokens },
    SelectionRule(
      "prefix-tuning", when: "everything else",
      because: "a good balance of simplicity and results where the file need not be the smallest",
      source: "playbook, selection, item 4"
    ) { _ in true },
  ]

  /// The rules that apply, the answer first; no method twice.
  public static func applying(to situation: Situation) -> [SelectionRule] {
    var methods: Set<String> = []
    return all.filter { $0.applies(situation) && methods.insert($0.method).inserted }
  }

  /// The method for a situation, with what depends on the base model filled in.
  public func method(for situation: Situation) -> String {
    let half = max(1, (situation.model?.layers ?? 2) / 2)
    return method.replacing("HALF", with: "\(half)")
  }
}
