import PTune

/// A bidirectional LSTM (Hochreiter & Schmidhuber 1997) of several layers, with PyTorch's parameters and start.
struct BidirectionalLSTM {
  private let layers: [(forward: LSTMDirection, backward: LSTMDirection)]
  private let dropout: Double

  /// - Parameters:
  ///   - size: columns of the hidden state of one direction.
  ///   - dropout: on the output of every layer but the last.
  init(_ name: String, inputs: Int, size: Int, layers: Int, dropout: Double) throws {
    self.dropout = dropout
    self.layers = try (0..<layers).map { layer in
      let inputs = layer == 0 ? inputs : 2 * size
      return (
        try LSTMDirection(name, "l\(layer)", inputs: inputs, size: size),
        try LSTMDirection(name, "l\(layer)_reverse", inputs: inputs, size: size)
      )
    }
  }

  /// `[steps, inputs] -> [steps, 2·size]`: the hidden states of both directions side by side.
  func callAsFunction(_ x: Tensor) -> Tensor {
    var rows = x
    for (index, layer) in layers.enumerated() {
      if index > 0 { rows = rows.dropout(dropout) }
      rows = .concatenatingColumns([
        layer.forward(rows, reversed: false), layer.backward(rows, reversed: true),
      ])
    }
    return rows
  }
}

/// One layer in one direction; its four gates stand side by side: input, forget, cell, output.
private struct LSTMDirection {
  private let size: Int
  private let inputWeight: Parameter
  private let hiddenWeight: Parameter
  private let inputBias: Parameter
  private let hiddenBias: Parameter

  init(_ name: String, _ suffix: String, inputs: Int, size: Int) throws {
    let bound = 1 / Float(size).squareRoot()
    func parameter(_ part: String, _ shape: [Int]) throws -> Parameter {
      try Parameter("\(name).\(part)_\(suffix)", shape: shape, initial: .uniform(-bound, bound))
    }
    self.size = size
    inputWeight = try parameter("weight_ih", [4 * size, inputs])
    hiddenWeight = try parameter("weight_hh", [4 * size, size])
    inputBias = try parameter("bias_ih", [4 * size])
    hiddenBias = try parameter("bias_hh", [4 * size])
  }

  /// `[steps, inputs] -> [steps, size]`, in the order of the input.
  func callAsFunction(_ x: Tensor, reversed: Bool) -> Tensor {
    let (weight, bias) = (hiddenWeight.value, hiddenBias.value)
    let fromInput = x.linear(inputWeight.value, bias: inputBias.value)
    var hidden = Tensor.filled(0, rows: 1, columns: size)
    var cell = hidden
    var states: [Tensor] = []
    for step in reversed ? Array((0..<x.rows).reversed()) : Array(0..<x.rows) {
      let gates = fromInput.rows(step..<step + 1) + hidden.linear(weight, bias: bias)
      func gate(_ index: Int) -> Tensor { gates.columns(index * size..<(index + 1) * size) }
      cell = gate(1).sigmoid() * cell + gate(0).sigmoid() * gate(2).tanh()
      hidden = gate(3).sigmoid() * cell.tanh()
      states.append(hidden)
    }
    return .concatenatingRows(reversed ? states.reversed() : states)
  }
}
