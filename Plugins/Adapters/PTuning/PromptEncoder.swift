import PTune

/// What makes the prompt of the trained rows (Liu et al. 2021, section 3.2), with the layers and names of PEFT.
struct PromptEncoder {
  enum Kind: String, HyperparameterChoice {
    /// The rows are the prompt.
    case none
    /// Three linear layers with relu between them.
    case mlp
    /// A bidirectional LSTM, then two linear layers with relu between them.
    case lstm
  }

  private let lstm: BidirectionalLSTM?
  private let mlp: [Linear]

  /// - Parameters:
  ///   - size: columns of the MLP's inner rows, or of one direction of the LSTM; 0 for the hidden size.
  ///   - layers: of the LSTM.
  ///   - dropout: between the layers of the LSTM.
  init(_ kind: Kind, size: Int, layers: Int, dropout: Double) throws {
    let hidden = Base.facts.hiddenSize
    let size = size == 0 ? hidden : size
    switch kind {
    case .none: (lstm, mlp) = (nil, [])
    case .mlp: (lstm, mlp) = (nil, try Self.mlp([hidden, size, size, hidden]))
    case .lstm:
      lstm = try BidirectionalLSTM("lstm_head", inputs: hidden, size: size, layers: layers, dropout: dropout)
      mlp = try Self.mlp([2 * size, 2 * size, hidden])
    }
  }

  /// Layers of these sizes. PEFT numbers them with the relus between them: 0, 2, 4.
  private static func mlp(_ sizes: [Int]) throws -> [Linear] {
    try (1..<sizes.count).map {
      try Linear("mlp_head.\(2 * ($0 - 1))", inputs: sizes[$0 - 1], outputs: sizes[$0])
    }
  }

  /// `[P, H] -> [P, H]`
  func callAsFunction(_ rows: Tensor) -> Tensor {
    mlp.enumerated().reduce(lstm?(rows) ?? rows) { rows, layer in
      layer.element(layer.offset == 0 ? rows : rows.relu())
    }
  }
}
