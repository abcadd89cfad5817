import PTune

/// What scores a text: a pooled row -> hidden layers, if there are any -> linear.
public struct TextScorer {
  /// What follows each hidden layer.
  public enum Activation: String, HyperparameterChoice {
    /// tanh x
    case tanh
    /// max(0, x)
    case relu
  }

  private let pooling: Pooling
  private let usesPooler: Bool
  private let activation: Activation
  private let dropout: Double
  private let hidden: [Linear]
  private let output: Linear

  /// Declares the parameters `hidden.N.weight`, `hidden.N.bias`, `classifier.weight` and, unless `bias` is false,
  /// `classifier.bias`.
  ///
  /// - Parameters:
  ///   - pooling: which row represents the text, one of `Pooling.names`.
  ///   - basePooler: whether that row passes the base model's own pooling layer first.
  ///   - hiddenLayers: how many hidden layers there are.
  ///   - hiddenSize: columns of the hidden layers; 0 for the base model's.
  ///   - activation: what follows each hidden layer.
  ///   - bias: whether the last layer has a bias.
  ///   - dropout: of the inputs of each layer, in training.
  ///   - outputs: scores per text.
  /// - Throws: `ComponentFailure` for a pooling that there is not.
  public init(
    pooling: String, basePooler: Bool, hiddenLayers: Int, hiddenSize: Int, activation: Activation, bias: Bool,
    dropout: Double, outputs: Int
  ) throws {
    self.pooling = try Pooling(named: pooling)
    (self.activation, self.dropout) = (activation, dropout)
    usesPooler = basePooler
    let width = Base.facts.hiddenSize
    let inner = hiddenSize == 0 ? width : hiddenSize
    hidden = try (0..<hiddenLayers).map {
      try Linear("hidden.\($0)", inputs: $0 == 0 ? width : inner, outputs: inner, bias: .zeros)
    }
    output = try Linear(
      "classifier", inputs: hiddenLayers == 0 ? width : inner, outputs: outputs, bias: .zeros, hasBias: bias)
  }

  /// `[rows, hidden] -> [sequences, outputs]`
  ///
  /// - Throws: `ComponentFailure` where hidden rows are not known yet.
  public func callAsFunction(_ rows: Tensor, _ batch: Batch) throws -> Tensor {
    var x = try pooling.rows(of: rows, batch)
    if usesPooler { x = Base.pooler(x) }
    for layer in hidden {
      x = layer(x.dropout(dropout))
      x = activation == .relu ? x.relu() : x.tanh()
    }
    return output(x.dropout(dropout))
  }
}

extension TextScorer {
  /// The declaration of `pooling`.
  public static var poolingChoice: Hyperparameter<String> {
    .choice(
      "pooling", of: Pooling.names, default: "automatic", "which row represents the text")
  }
  /// The declaration of `base_pooler`.
  public static var basePoolerFlag: Hyperparameter<Bool> {
    .flag(
      "base_pooler", default: false, "pass the row through the base model's own pooling layer first")
  }
  /// The declaration of `hidden_layers`.
  public static var hiddenLayersCount: Hyperparameter<Int> {
    .integer(
      "hidden_layers", default: 0, in: 0...8, "layers between the pooled row and the scores")
  }
  /// The declaration of `hidden_size`.
  public static var hiddenSizeCount: Hyperparameter<Int> {
    .integer(
      "hidden_size", default: 0, in: 0...65536, "their width; 0: the base model's")
  }
  /// The declaration of `activation`.
  public static var activationChoice: Hyperparameter<Activation> {
    .choice(
      "activation", default: Activation.tanh,
      "what follows each hidden layer; relu is DistilBERT's pre_classifier")
  }
  /// The declaration of `bias`.
  public static var biasFlag: Hyperparameter<Bool> {
    .flag(
      "bias", default: true, "whether the last layer has a bias; transformers' causal models have none")
  }
  /// The declaration of `dropout`.
  public static var dropoutShare: Hyperparameter<Double> {
    .number(
      "dropout", default: 0.1, in: 0...0.99, "dropout before each layer in training")
  }
}
