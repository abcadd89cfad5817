import Testing

/// Settings that make no sense together, which no table of plugins can list.
@Suite("Refused combinations") struct CombinationRefusalTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    var base = bert
    var adapter = "prompt-tuning"
    /// Hyperparameters of the adapter.
    var settings: [String] = []
    var selector: String?
    var head = Combinations.Head(plugin: "sequence-classification")
    let reason: String

    var testDescription: String { reason }
  }

  private static let bert = Combinations.Base(name: "bert", folder: "tiny-bert")
  private static let gpt2 = Combinations.Base(name: "gpt2", folder: "tiny-gpt2")
  private static let words = #"words: ["positive=good", "negative=bad"]"#
  private static let unseen = "reads a row that has not seen the text in a causal model; use last or mean"

  private static let heads = [
    Refusal(
      head: .init(plugin: "masked-lm-verbalizer", needs: words),
      reason: "it needs a template with {mask} in the data of task 'task'"),
    Refusal(
      head: .init(
        plugin: "masked-lm-verbalizer", needs: words, data: #"label: tone, template: "{text} {mask}""#),
      reason: "the checkpoint has no masked language model's head"),
    Refusal(
      head: .init(plugin: "causal-lm", data: #"label: tone, template: "so {text}""#),
      reason: "the head 'causal-lm' arranges a row's sequences itself, so it cannot be used with a template"),
    Refusal(
      base: gpt2, head: .init(plugin: "sequence-classification", variant: "pooling: cls"),
      reason: "pooling 'cls' \(unseen)"),
    Refusal(
      base: gpt2, head: .init(plugin: "regression", variant: "pooling: first", data: "label: score"),
      reason: "pooling 'first' \(unseen)"),
    Refusal(
      base: gpt2, head: .init(plugin: "multiple-choice", variant: "pooling: cls", data: "label: choice"),
      reason: "pooling 'cls' \(unseen)"),
    Refusal(
      base: gpt2, head: .init(plugin: "sequence-classification", variant: "base_pooler: true"),
      reason: "no pooling layer"),
    Refusal(
      head: .init(plugin: "sequence-classification", variant: "labels: [positive]"),
      reason: "needs two or more different labels"),
    Refusal(head: .init(plugin: "regression"), reason: "label 'positive' is not a number"),
    Refusal(head: .init(plugin: "token-classification"), reason: "no JSON list of tags"),
    Refusal(head: .init(plugin: "extractive-qa"), reason: "the row's label is not an object like"),
    Refusal(
      head: .init(plugin: "multiple-choice"), reason: "label 'positive' is not one of the row's 2 choices"),
  ]

  private static let adapters = [
    Refusal(
      base: gpt2, settings: ["placement: end"],
      reason: "in a causal model no token sees what stands behind it"),
    Refusal(
      base: gpt2, settings: ["placement: template"],
      head: .init(plugin: "sequence-classification", data: #"label: tone, template: "{text} {prompt}""#),
      reason: "ends with {prompt}: in a causal model no token sees what stands behind it"),
    Refusal(settings: ["placement: template"], reason: "has no template with {prompt}"),
    Refusal(selector: "attention", reason: "uses no selector"),
    Refusal(
      adapter: "multitask-prompt-tuning", settings: ["form: factors"], selector: "task",
      reason: "uses no selector"),
    Refusal(adapter: "prompt-pool", reason: "uses a selector for its pool"),
    Refusal(
      adapter: "p-tuning-v2", settings: ["depth: 4"], reason: "depth is 4, but the base model has 3 layers"),
    Refusal(
      adapter: "prefix-tuning", settings: ["reparameterization: mlp", "initialization: sampled-vocabulary"],
      reason: "with 'reparameterization: mlp' an MLP makes the rows"),
    Refusal(
      adapter: "prefix-tuning", settings: ["initialization: text"],
      reason: "the initial text '' has no tokens"),
  ]

  @Test("what makes no sense is refused with the reason", arguments: heads + adapters)
  func refuses(_ refusal: Refusal) throws {
    let cell = Combinations.Cell(
      base: refusal.base,
      method: .init(adapter: refusal.adapter, form: refusal.settings, selector: refusal.selector),
      head: refusal.head)
    let reason = try CombinationFolder().refusal(cell)
    #expect(reason?.contains(refusal.reason) == true, "\(reason ?? "it is not refused")")
  }
}
