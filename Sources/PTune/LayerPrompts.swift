/// Trainable prompts at several layers, as one parameter with a row per virtual token: what deep prompt methods share.
///
/// *Key-value* form: the row of a token is `[layer 0 keys | layer 0 values | layer 1 keys | …]`, the layout in
/// which PEFT stores prefixes. *Hidden* form: `[layer 0 row | layer 1 row | …]`.
public struct LayerPrompts {
  /// What a prompt is at a layer.
  public enum Form: String, CaseIterable, Sendable {
    /// A row that joins the layer's input, for its keys and values only: H numbers.
    case hidden
    /// A key and a value: 2·H numbers, or fewer with grouped-query attention.
    case keyValue = "key-value"
  }

  /// The trained array, `[virtual tokens, layers·H]` or `[virtual tokens, 2·layers·key-value size]`.
  public let parameter: Parameter
  let form: Form
  let layers: [Int]
  let width: Int

  /// Numbers per virtual token for prompts of this form at so many layers.
  public static func columns(_ form: Form, layers: Int, facts: BaseFacts) -> Int {
    layers * (form == .hidden ? facts.hiddenSize : 2 * facts.keyValueSize)
  }

  /// Declares the parameter `name` for prompts at these layers.
  public init(
    _ name: String, virtualTokens: Int, form: Form, layers: some Sequence<Int>, initial: Parameter.Initial
  ) throws {
    let facts = Base.facts
    self.layers = Array(layers)
    self.form = form
    width = form == .hidden ? facts.hiddenSize : facts.keyValueSize
    parameter = try Parameter(
      name, shape: [virtualTokens, Self.columns(form, layers: self.layers.count, facts: facts)],
      initial: initial)
  }

  /// Injects the prompts, or rows of the same layout made from them, at their layers.
  public func inject(_ rows: Tensor? = nil, into injections: Injections) throws {
    let rows = rows ?? parameter.value
    func part(_ index: Int) -> Tensor { rows.columns(index * width..<(index + 1) * width) }
    for (index, layer) in layers.enumerated() {
      switch form {
      case .hidden: try injections.hiddenPrefix(part(index), layer: layer)
      case .keyValue:
        try injections.keyValuePrefix(
          keys: part(2 * index), values: part(2 * index + 1), layer: layer)
      }
    }
  }
}
