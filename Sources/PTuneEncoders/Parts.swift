import PTune

/// A frozen linear layer: weight `[outputs, inputs]`, bias `[1, outputs]`.
struct Linear {
  let weight, bias: Tensor

  init(_ name: String, _ inputs: Int, _ outputs: Int) throws {
    weight = try Checkpoint.weight(name + ".weight", rows: outputs, columns: inputs)
    bias = try Checkpoint.weight(name + ".bias", columns: outputs)
  }

  func callAsFunction(_ x: Tensor, _ forward: Forward) -> Tensor { forward.linear(x, weight, bias: bias) }
}

/// A layer norm: gain and bias `[1, size]`.
struct Norm {
  let gain, bias: Tensor
  let epsilon: Double

  init(_ name: String, _ size: Int, _ epsilon: Double) throws {
    // Checkpoints converted from TensorFlow call them gamma and beta.
    let old = Checkpoint.hasWeight(name + ".gamma")
    gain = try Checkpoint.weight(name + (old ? ".gamma" : ".weight"), columns: size)
    bias = try Checkpoint.weight(name + (old ? ".beta" : ".bias"), columns: size)
    self.epsilon = epsilon
  }

  func callAsFunction(_ x: Tensor) -> Tensor { x.layerNorm(gain: gain, bias: bias, epsilon: epsilon) }
}

/// An activation function.
struct Activation: Sendable {
  private let function: @Sendable (Tensor) -> Tensor

  /// The one that a key of config.json names.
  init(key: String) throws {
    let name = try Checkpoint.string(key, default: "gelu")
    guard let function = Self.function(name) else {
      throw ComponentFailure.unsupported(
        "config.json: \(key) '\(name)' is not supported; known: gelu, gelu_new, relu, silu, tanh")
    }
    self.function = function
  }

  /// Gelu, whatever config.json says.
  static let gelu = Activation(function: { $0.gelu() })

  private init(function: @escaping @Sendable (Tensor) -> Tensor) { self.function = function }

  private static func function(_ name: String) -> (@Sendable (Tensor) -> Tensor)? {
    switch name {
    case "gelu": { $0.gelu() }
    case "gelu_new", "gelu_pytorch_tanh": { $0.geluTanh() }
    case "relu": { $0.relu() }
    case "silu", "swish": { $0.silu() }
    case "tanh": { $0.tanh() }
    default: nil
    }
  }

  func callAsFunction(_ x: Tensor) -> Tensor { function(x) }
}
