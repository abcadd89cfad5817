import PTune

/// E(x) = f(W·x̄ + b). W starts as the identity and b as zero, so that queries start as the text's own mean (or f of
/// it), which already tells texts apart; a random W would first have to find that again.
struct Encoder {
  enum Activation: String, HyperparameterChoice { case none, identity, relu, tanh }

  private let activation: Activation
  private let weight: Parameter
  private let bias: Parameter

  init(activation: Activation, size: Int) throws {
    self.activation = activation
    let identity = (0..<size * size).map { Float($0 % (size + 1) == 0 ? 1 : 0) }
    weight = try Parameter("encoder.weight", shape: [size, size], initial: .values(identity))
    bias = try Parameter("encoder.bias", shape: [size], initial: .zeros)
  }

  /// `[B, H] -> [B, H]`
  func encode(_ text: Tensor) -> Tensor {
    let rows = text.linear(weight.value, bias: bias.value)
    return switch activation {
    case .relu: rows.relu()
    case .tanh: rows.tanh()
    case .identity, .none: rows
    }
  }
}
