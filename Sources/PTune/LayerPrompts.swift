/// Trainable prompts at several layers, as one parameter with a row per virtual token: what deep prompt methods share.
///
/// *Key-value* form: the row of a token is `[layer 0 keys | layer 0 values | layer 1 keys | …]`, the layout in
/// which PEFT stores prefixes. *Hidden* form: `[layer 0 row | layer 1 row | …]`.
///
/// The rows are trained themselves, or come from an MLP (Li & Liang 2021, section 4.3), as PEFT's
/// `prefix_projection` has it: `[P, W] -> linear -> tanh -> linear`, W being the width of a layer's row, key or value.
/// An adapter file holds the rows alone.
public struct LayerPrompts {
  /// What a prompt is at a layer.
  public enum Form: String, HyperparameterChoice {
    /// A row that joins the layer's input, for its keys and values only: H numbers.
    case hidden
    /// A key and a value: 2·H numbers, or fewer with grouped-query attention.
    case keyValue = "key-value"
  }

  /// Where the rows come from.
  public enum Reparameterization: String, HyperparameterChoice {
    /// They are trained themselves.
    case none
    /// A trained MLP makes them of smaller trained rows.
    case mlp
  }

  /// The rows themselves, or what the MLP makes them of.
  private let embedding: Parameter
  private let transform: (first: Linear, second: Linear)?
  private let name: String
  let form: Form
  let layers: [Int]
  let width: Int

  /// Numbers per virtual token for prompts of this form at so many layers.
  public static func columns(_ form: Form, layers: Int, facts: BaseFacts) -> Int {
    layers * (form == .hidden ? facts.hiddenSize : 2 * facts.keyValueSize)
  }

  /// Declares what is trained for prompts at these layers: `name`, or `embedding` and `transform` as in PEFT.
  ///
  /// - Parameters:
  ///   - name: the name of the rows in the adapter file.
  ///   - initial: how the rows start, or those that the MLP reads.
  ///   - bottleneck: columns between the layers of the MLP; 0 for the hidden size.
  public init(
    _ name: String, virtualTokens: Int, form: Form, layers: some Sequence<Int>, initial: Parameter.Initial,
    reparameterization: Reparameterization = .none, bottleneck: Int = 0
  ) throws {
    let facts = Base.facts
    self.name = name
    self.layers = Array(layers)
    self.form = form
    width = form == .hidden ? facts.hiddenSize : facts.keyValueSize
    let columns = Self.columns(form, layers: self.layers.count, facts: facts)
    switch reparameterization {
    case .none:
      embedding = try Parameter(name, shape: [virtualTokens, columns], initial: initial)
      transform = nil
    case .mlp:
      let between = bottleneck == 0 ? facts.hiddenSize : bottleneck
      embedding = try Parameter("embedding.weight", shape: [virtualTokens, width], initial: initial)
      transform = (
        try Linear("transform.0", inputs: width, outputs: between),
        try Linear("transform.2", inputs: between, outputs: columns)
      )
    }
  }

  /// The present rows, `[virtual tokens, layers·H]` or `[virtual tokens, 2·layers·key-value size]`.
  public var rows: Tensor {
    guard let transform else { return embedding.value }
    return transform.second(transform.first(embedding.value).tanh())
  }

  /// Saves the rows, for an adapter with the reparameterisation `none`.
  public func save(to export: Export) throws {
    try export.tensor(name, rows)
    try export.hyperparameter("reparameterization", json: "\"none\"")
  }

  /// Injects the prompts, or rows of the same layout made from them, at their layers.
  public func inject(_ rows: Tensor? = nil, into injections: Injections) throws {
    let rows = rows ?? self.rows
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

extension Parameter.Initial {
  /// How prompts at layers start, `[count, columns of LayerPrompts]`: at random, or as what the frozen base model's
  /// layers are given when it reads a hard prompt, so that the soft one first acts as that does.
  ///
  /// - Parameters:
  ///   - text: with `text`, the text; cut or repeated to `count` tokens.
  ///   - deviation: with `random`, the standard deviation.
  /// - Throws: ``ComponentFailure`` if there are no tokens to start from.
  public static func layerRows(
    _ initialization: PromptInitialization, count: Int, text: String = "", deviation: Double,
    form: LayerPrompts.Form, layers: some Sequence<Int>
  ) throws -> Parameter.Initial {
    switch initialization {
    case .random: .normal(deviation: Float(deviation))
    case .sampledVocabulary: .values(try layerRows(HardPrompt.sampled(count), form, layers))
    case .text: .values(try layerRows(HardPrompt.text(text, count), form, layers))
    case .classLabels:
      throw ComponentFailure.unsupported("prompts at layers cannot start as class labels; use 'text'")
    }
  }

  /// Several prompts of `length` rows in the hidden form, each as what the layers are given for a hard prompt of its own
  /// of frequent tokens: `[count·length, layers·H]`.
  ///
  /// - Throws: ``ComponentFailure`` if there are no tokens to start from.
  public static func layerRows(
    ofPrompts count: Int, of length: Int, layers: some Sequence<Int>
  ) throws -> Parameter.Initial {
    let tokens = try HardPrompt.sampled(count * length)
    return .values(
      try (0..<count).flatMap {
        try layerRows(Array(tokens[$0 * length..<($0 + 1) * length]), .hidden, layers)
      })
  }

  /// A row for each of these tokens, `[layer 0 part | layer 0 part | layer 1 part | …]`.
  static func layerRows(
    _ tokens: [Int32], _ form: LayerPrompts.Form, _ layers: some Sequence<Int>
  ) throws -> [Float] {
    let parts: [Base.LayerPart] = form == .hidden ? [.input] : [.keys, .values]
    let blocks = try layers.flatMap { layer in
      try parts.map { try Base.layerRows(tokens, layer: layer, $0) }
    }
    return tokens.indices.flatMap { token in
      blocks.flatMap { block in
        let width = block.count / tokens.count
        return block[token * width..<(token + 1) * width]
      }
    }
  }
}
