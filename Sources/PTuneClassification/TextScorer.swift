import PTune

/// What scores a text: a pooled row -> hidden layers, if there are any -> linear.
package struct TextScorer {
  /// What follows each hidden layer.
  package enum Activation: String, HyperparameterChoice {
    case tanh, relu
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
  ///   - hiddenSize: columns of the hidden layers; 0 for the base model's.
  ///   - outputs: scores per text.
  /// - Throws: `ComponentFailure` for a pooling that there is not.
  package init(
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
  package func callAsFunction(_ rows: Tensor, _ batch: Batch) throws -> Tensor {
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
  package static var poolingChoice: Hyperparameter<String> {
    .choice(
      "pooling", of: Pooling.names, default: "automatic", "which row stands for the text")
  }
  /// The declaration of `base_pooler`.
  package static var basePoolerFlag: Hyperparameter<Bool> {
    .flag(
      "base_pooler", default: false, "pass the row through the base model's own pooling layer first")
  }
  /// The declaration of `hidden_layers`.
  package static var hiddenLayersCount: Hyperparameter<Int> {
    .integer(
      "hidden_layers", default: 0, in: 0...8, "layers between the pooled row and the scores")
  }
  /// The declaration of `hidden_size`.
  package static var hiddenSizeCount: Hyperparameter<Int> {
    .integer(
      "hidden_size", default: 0, in: 0...65536, "their width; 0: the base model's")
  }
  /// The declaration of `activation`.
  package static var activationChoice: Hyperparameter<Activation> {
    .choice(
      "activation", default: Activation.tanh,
      "what follows each hidden layer; relu is DistilBERT's pre_classifier")
  }
  /// The declaration of `bias`.
  package static var biasFlag: Hyperparameter<Bool> {
    .flag(
      "bias", default: true, "whether the last layer has a bias; transformers' causal models have none")
  }
  /// The declaration of `dropout`.
  package static var dropoutShare: Hyperparameter<Double> {
    .number(
      "dropout", default: 0.1, in: 0...0.99, "dropout before each layer in training")
  }
}
