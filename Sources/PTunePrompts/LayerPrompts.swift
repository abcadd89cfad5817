import PTune

/// How prompts at several layers stand in one matrix with a row per virtual token.
///
/// *Key-value* form: `[layer 0 keys | layer 0 values | layer 1 keys | …]`, the layout in which PEFT stores prefixes.
/// *Hidden* form: `[layer 0 row | layer 1 row | …]`.
public struct LayerPrompts {
  /// What a prompt is at a layer.
  public enum Form: String, HyperparameterChoice {
    /// A row that joins the layer's input, for its keys and values only: H numbers.
    case hidden
    /// A key and a value: 2·H numbers, or fewer with grouped-query attention.
    case keyValue = "key-value"
  }

  /// The virtual tokens of one layer.
  public enum Part {
    /// Rows of the layer's input, `[virtual tokens, hidden]`.
    case hidden(Tensor)
    /// Keys and values, each `[virtual tokens, key-value size]`.
    case keyValue(keys: Tensor, values: Tensor)
  }

  /// What a prompt is at each layer.
  public let form: Form
  /// The layers that have prompts.
  public let layers: Range<Int>
  /// Numbers of a layer's row, key or value: H, or the key-value size.
  public let width: Int

  /// Prompts of this form at these layers of the run's base model.
  public init(_ form: Form, layers: Range<Int>) {
    (self.form, self.layers) = (form, layers)
    width = form == .hidden ? Base.facts.hiddenSize : Base.facts.keyValueSize
  }

  /// Numbers per virtual token.
  public var columns: Int { layers.count * (form == .hidden ? 1 : 2) * width }

  /// Rows `[virtual tokens, columns]`, layer by layer.
  public func parts(of rows: Tensor) -> [(layer: Int, part: Part)] {
    func slice(_ index: Int) -> Tensor { rows.columns(index * width..<(index + 1) * width) }
    return layers.enumerated().map { index, layer in
      switch form {
      case .hidden: (layer, .hidden(slice(index)))
      case .keyValue: (layer, .keyValue(keys: slice(2 * index), values: slice(2 * index + 1)))
      }
    }
  }
}

extension LayerPrompts {
  /// How `count` rows start, `[count, columns]`: at random, or as what the frozen layers are given when the base model
  /// reads a hard prompt, so that the soft one first acts as that does.
  ///
  /// - Parameters:
  ///   - initialization: what they start as, one of `PromptInitialization.layered`.
  ///   - text: with `text`, the text; cut or repeated to `count` tokens.
  ///   - deviation: with `random`, the standard deviation.
  /// - Throws: `ComponentFailure` if there are no tokens to start from.
  public func initial(
    _ initialization: PromptInitialization, count: Int, text: String = "", deviation: Double
  ) throws -> Parameter.Initial {
    switch initialization {
    case .random: .normal(deviation: Float(deviation))
    case .sampledVocabulary: .values(try frozenRows(of: HardPrompt.sampled(count)))
    case .text: .values(try frozenRows(of: HardPrompt.text(text, count)))
    case .classLabels:
      throw ComponentFailure.unsupported(
        "prompts at layers cannot be initialised with class labels; use 'text'")
    }
  }

  /// How `count` prompts of `length` rows start, `[count·length, columns]`, each as what the layers are given for a hard
  /// prompt of its own of frequent tokens.
  ///
  /// - Throws: `ComponentFailure` if there are no tokens to start from.
  public func sampledVocabulary(prompts count: Int, of length: Int) throws -> Parameter.Initial {
    let tokens = try HardPrompt.sampled(count * length)
    return .values(
      try (0..<count).flatMap { try frozenRows(of: Array(tokens[$0 * length..<($0 + 1) * length])) })
  }

  /// What the frozen layers are given for these tokens: `[tokens, columns]`, row-major.
  private func frozenRows(of tokens: [Int32]) throws -> [Float] {
    let parts: [Base.LayerPart] = form == .hidden ? [.input] : [.keys, .values]
    let blocks = try layers.flatMap { layer in
      try parts.map { try Base.layerRows(tokens, layer: layer, $0) }
    }
    return tokens.indices.flatMap { token in
      blocks.flatMap { $0[token * width..<(token + 1) * width] }
    }
  }
}
