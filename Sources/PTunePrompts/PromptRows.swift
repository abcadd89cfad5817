import PTune

/// The rows of a prompt at layers: trained themselves, or made by an MLP of smaller trained rows (Li & Liang 2021,
/// section 4.3), as PEFT's `prefix_projection` has it:
///
///     P = P'                          P' [P, columns]
///     P = W₂·tanh(W₁·P' + b₁) + b₂    P' [P, width]
///
/// Width is that of a layer's row, key or value. An adapter file holds P alone.
public struct PromptRows {
  /// Where the rows come from.
  public enum Reparameterization: String, HyperparameterChoice {
    /// They are trained themselves.
    case none
    /// A trained MLP makes them of smaller trained rows.
    case mlp
  }

  private let trained: Parameter
  private let mlp: (first: Linear, second: Linear)?

  /// Declares `prompt_embeddings`, or `embedding` and `transform` as PEFT names them.
  ///
  /// - Parameters:
  ///   - count: virtual tokens P.
  ///   - prompts: what the rows consist of.
  ///   - reparameterization: where they come from.
  ///   - bottleneck: columns between the layers of the MLP; 0 for the hidden size.
  ///   - initialization: what rows without an MLP start as; with one only `random`.
  ///   - text: with `initialization` `text`, the text.
  ///   - deviation: with `random`, the standard deviation of P'.
  /// - Throws: `ComponentFailure` for what does not go together.
  public init(
    _ count: Int, of prompts: LayerPrompts, reparameterization: Reparameterization, bottleneck: Int,
    initialization: PromptInitialization, text: String, deviation: Double
  ) throws {
    switch reparameterization {
    case .none:
      trained = try Parameter(
        Self.name, shape: [count, prompts.columns],
        initial: try prompts.initial(initialization, count: count, text: text, deviation: deviation))
      mlp = nil
    case .mlp:
      guard initialization == .random else {
        throw ComponentFailure.unsupported(
          "with 'reparameterization: mlp' an MLP makes the rows, so they cannot be initialised with tokens; "
            + "use 'initialization: random' or 'reparameterization: none'")
      }
      let inner = bottleneck == 0 ? Base.facts.hiddenSize : bottleneck
      trained = try Parameter(
        "embedding.weight", shape: [count, prompts.width], initial: .normal(deviation: Float(deviation)))
      mlp = (
        try Linear("transform.0", inputs: prompts.width, outputs: inner),
        try Linear("transform.2", inputs: inner, outputs: prompts.columns)
      )
    }
  }

  private static let name = "prompt_embeddings"

  /// The present rows P, `[P, columns]`.
  public var value: Tensor {
    guard let mlp else { return trained.value }
    return mlp.second(mlp.first(trained.value).tanh())
  }

  /// Saves P, for an adapter with the reparameterisation `none`.
  ///
  /// - Throws: `ComponentFailure` if the host refuses them.
  public func save(to export: Export) throws {
    try export.tensor(Self.name, value)
    try export.hyperparameter("reparameterization", json: "\"none\"")
  }
}
