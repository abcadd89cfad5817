/// An adapter of trained prompts at layers, and nothing else: prefix tuning (Li & Liang 2021, section 4) and P-tuning
/// v2 (Liu et al. 2022, section 3), which differ in the layers and in their defaults.
public final class LayerPromptAdapter: FoldingAdapter {
  /// P where the text's positions are counted from behind the prompts, else 0.
  public let positions: Int
  /// On the demo's data 3e-2 was better than 1e-2 and 1e-1; with an MLP 1e-3 and 3e-3 were alike, and 1e-2 learnt nothing.
  public let learningRate: Double?
  private let prompts: LayerPrompts
  private let dropout: Double

  /// Prompts at the upper `depth` layers, 0 for all of them. For the rest see the hyperparameters below.
  ///
  /// - Throws: ``ComponentFailure`` for what does not go together.
  public init(
    virtualTokens: Int, form: LayerPrompts.Form, reparameterization: LayerPrompts.Reparameterization,
    bottleneck: Int, initialization: PromptInitialization, initialText: String, deviation: Double,
    shiftPositions: Bool, dropout: Double, depth: Int
  ) throws {
    let count = Base.facts.layers
    guard depth <= count else {
      throw ComponentFailure.badArgument("depth is \(depth), but the base model has \(count) layers")
    }
    guard reparameterization == .none || initialization == .random else {
      throw ComponentFailure.unsupported(
        "with 'reparameterization: mlp' an MLP makes the rows, so they cannot start as those of tokens; "
          + "use 'initialization: random' or 'reparameterization: none'")
    }
    let layers = (depth == 0 ? 0 : count - depth)..<count
    prompts = try LayerPrompts(
      "prompt_embeddings", virtualTokens: virtualTokens, form: form, layers: layers,
      initial: try .layerRows(
        initialization, count: virtualTokens, text: initialText, deviation: deviation, form: form,
        layers: layers),
      reparameterization: reparameterization, bottleneck: bottleneck)
    positions = shiftPositions ? virtualTokens : 0
    learningRate = reparameterization == .mlp ? 1e-3 : 3e-2
    self.dropout = dropout
  }

  /// Prompts at all layers.
  ///
  /// - Throws: ``ComponentFailure`` for what does not go together.
  public convenience init(
    virtualTokens: Int, form: LayerPrompts.Form, reparameterization: LayerPrompts.Reparameterization,
    bottleneck: Int, initialization: PromptInitialization, initialText: String, deviation: Double,
    shiftPositions: Bool, dropout: Double
  ) throws {
    try self.init(
      virtualTokens: virtualTokens, form: form, reparameterization: reparameterization,
      bottleneck: bottleneck, initialization: initialization, initialText: initialText,
      deviation: deviation, shiftPositions: shiftPositions, dropout: dropout, depth: 0)
  }

  /// Injects the prompts at their layers.
  public func inject(_ batch: Batch, into injections: Injections) throws {
    try prompts.inject(prompts.rows.dropout(dropout), into: injections)
    try injections.startPositions(at: positions)
  }

  /// The adapter file holds the rows alone.
  public func save(to export: Export) throws { try prompts.save(to: export) }
}

// MARK: - Hyperparameters

extension LayerPromptAdapter {
  /// P.
  public static let virtualTokens = Hyperparameter<Int>.integer(
    "virtual_tokens", default: 20, in: 1...4096, "number of virtual tokens P")
  /// What is trained at a layer.
  public static let form = Hyperparameter<LayerPrompts.Form>.choice(
    "form", default: .keyValue, "what is trained: keys and values, or rows of the layers' inputs")
  /// Where the rows come from.
  public static let reparameterization = Hyperparameter<LayerPrompts.Reparameterization>.choice(
    "reparameterization", default: .none,
    "where the virtual tokens come from in training: themselves, or an MLP")
  /// The MLP's inner columns.
  public static let bottleneck = Hyperparameter<Int>.integer(
    "bottleneck", default: 0, in: 0...65536,
    "with reparameterization: mlp, the columns between its layers; 0: the hidden size")
  /// How the rows start.
  public static let initialization = Hyperparameter<PromptInitialization>.choice(
    "initialization", of: PromptInitialization.layered, default: .random,
    "what the virtual tokens start as: random numbers, or what the frozen layers are given for tokens")
  /// The text that they start as.
  public static let initialText = Hyperparameter<String>.text(
    "initial_text", default: "", "with initialization: text, the text; it is repeated or cut to P tokens")
  /// How large random rows are.
  public static let deviation = Hyperparameter<Double>.number(
    "deviation", default: 1.0, in: 0...100, "with initialization: random, the standard deviation")
  /// Where the text's positions begin.
  public static let shiftPositions = Hyperparameter<Bool>.flag(
    "shift_positions", default: true, "count the text's positions from P, as PEFT does")
  /// Dropout on the rows.
  public static func dropout(default value: Double) -> Hyperparameter<Double> {
    .number("dropout", default: value, in: 0...0.99, "dropout on the virtual tokens in training")
  }
}

// MARK: - Documentation

extension LayerPromptAdapter {
  /// What the documentation says of the start.
  public static let initializationNotes = """
    `initialization: text` starts from a hard prompt, `sampled-vocabulary` from one of frequent words of the \
    training data: the base model reads its tokens once, and each layer's virtual tokens start as the keys and \
    values, or the rows of its input, that the layer was given.
    """
  /// What the documentation says of the learning rate.
  public static let trainingNotes = """
    With `reparameterization: mlp` the virtual tokens come from an MLP of P rows of the hidden size (Li & Liang \
    2021, section 4.3), which is folded away when the adapter is saved. It starts at random.

    The learning rate is 3e-2 by default, with an MLP 1e-3: there 1e-2 learns nothing. After 100 steps on the \
    demo's data at 3e-2 the accuracy was 0.801 from random rows and 0.813 from `sampled-vocabulary`, after 233 steps \
    0.816 from both, the means of three seeds.
    """
}
