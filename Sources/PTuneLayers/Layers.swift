import PTune

/// A frozen linear layer: weight `[outputs, inputs]`, bias `[1, outputs]` if it has one.
public struct FrozenLinear {
  /// `[outputs, inputs]`
  public let weight: Tensor
  /// `[1, outputs]`
  public let bias: Tensor?

  /// Loads `NAME.weight` and `NAME.bias`.
  ///
  /// - Parameters:
  ///   - hasBias: whether the layer has a bias.
  ///   - transposed: the checkpoint stores the weight `[inputs, outputs]`, as GPT-2 does.
  /// - Throws: `ComponentFailure` if one is missing or has another shape, or if the checkpoint has a bias that the layer
  ///   does not.
  public init(_ name: String, _ inputs: Int, _ outputs: Int, hasBias: Bool = true, transposed: Bool = false)
    throws
  {
    weight = try Checkpoint.weight(
      name + ".weight", rows: outputs, columns: inputs, transposed: transposed)
    bias = hasBias ? try Checkpoint.weight(name + ".bias", columns: outputs) : nil
    if !hasBias { try Architecture.refuse(weight: name + ".bias") }
  }

  private init(weight: Tensor, bias: Tensor?) {
    self.weight = weight
    self.bias = bias
  }

  /// Names the layer, a whole one, as a site for adapters, and answers it.
  ///
  /// - Throws: `ComponentFailure` if the name is taken.
  public func site(_ name: String, layer: Int, _ roles: Site.Roles) throws -> FrozenLinear {
    try Site.declare(name, weight: weight, layer: layer, roles)
    return self
  }

  /// Those outputs of a layer as a layer of their own, for queries, keys and values that are stored as one.
  public func outputs(_ range: Range<Int>) throws -> FrozenLinear {
    FrozenLinear(
      weight: try Checkpoint.part(of: weight, range),
      bias: try bias.map { try Checkpoint.part(of: $0, range) })
  }

  /// `[rows, inputs] -> [rows, outputs]`
  public func callAsFunction(_ x: Tensor, _ forward: Forward) -> Tensor {
    forward.linear(x, weight, bias: bias)
  }
}

/// A layer norm (Ba et al. 2016): gain and bias `[1, size]`.
public struct Norm {
  let gain, bias: Tensor
  let epsilon: Double

  /// Loads `NAME.weight` and `NAME.bias`.
  ///
  /// - Throws: `ComponentFailure` if one is missing or has another size.
  public init(_ name: String, _ size: Int, _ epsilon: Double) throws {
    // Checkpoints converted from TensorFlow call them gamma and beta.
    let old = Checkpoint.hasWeight(name + ".gamma")
    gain = try Checkpoint.weight(name + (old ? ".gamma" : ".weight"), columns: size)
    bias = try Checkpoint.weight(name + (old ? ".beta" : ".bias"), columns: size)
    self.epsilon = epsilon
  }

  /// `[rows, size] -> [rows, size]`
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.layerNorm(gain: gain, bias: bias, epsilon: epsilon)
  }
}

/// A root-mean-square norm (Zhang & Sennrich 2019): gain `[1, size]`.
public struct RootMeanSquareNorm {
  let gain: Tensor
  let epsilon: Double

  /// Loads `NAME.weight`.
  ///
  /// - Throws: `ComponentFailure` if it is missing or has another size, or if there is a bias beside it.
  public init(_ name: String, _ size: Int, _ epsilon: Double) throws {
    gain = try Checkpoint.weight(name + ".weight", columns: size)
    try Architecture.refuse(weight: name + ".bias")
    self.epsilon = epsilon
  }

  /// `[rows, size] -> [rows, size]`
  public func callAsFunction(_ x: Tensor) -> Tensor { x.rmsNorm(gain: gain, epsilon: epsilon) }
}

/// An activation function.
public struct Activation: Sendable {
  private let function: @Sendable (Tensor) -> Tensor

  /// The one that a key of config.json names.
  ///
  /// - Parameter name: what it is where the key is absent.
  /// - Throws: `ComponentFailure` for a function that is not known.
  public init(key: String, default name: String = "gelu") throws {
    let name = try Checkpoint.string(key, default: name)
    guard let function = Self.function(name) else {
      throw ComponentFailure.unsupported(
        "config.json: \(key) '\(name)' is not supported; known: \(Self.names.joined(separator: ", "))")
    }
    self.function = function
  }

  /// Gelu, whatever config.json says.
  public static let gelu = Activation(function: { $0.gelu() })

  private init(function: @escaping @Sendable (Tensor) -> Tensor) { self.function = function }

  private static let names = ["gelu", "gelu_new", "quick_gelu", "relu", "silu", "tanh"]

  /// By transformers' names, several of which mean the same function.
  private static func function(_ name: String) -> (@Sendable (Tensor) -> Tensor)? {
    switch name {
    case "gelu", "gelu_python": { $0.gelu() }
    case "gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh": { $0.geluTanh() }
    // x·σ(1.702·x)
    case "quick_gelu":
      { 1 / 1.702 * (1.702 * $0).silu() }
    case "relu": { $0.relu() }
    case "silu", "swish": { $0.silu() }
    case "tanh": { $0.tanh() }
    default: nil
    }
  }

  /// The function of each element.
  public func callAsFunction(_ x: Tensor) -> Tensor { function(x) }
}

/// Keys of config.json with the limits that all models share.
public enum Configuration {
  /// A whole number above 0.
  ///
  /// - Throws: `ComponentFailure` if the key is absent without a default, or holds something else.
  public static func count(_ key: String, default value: Int? = nil) throws -> Int {
    let value = try Checkpoint.integer(key, default: value)
    guard value > 0 else {
      throw ComponentFailure.badArgument("config.json: \(key) \(value) is less than 1")
    }
    // The product of any two is a number still.
    guard value <= Int32.max else {
      throw ComponentFailure.badArgument("config.json: \(key) \(value) is more than \(Int32.max)")
    }
    return value
  }

  /// The layers of a model, made one after the other: no room is made for more than the checkpoint has weights for,
  /// however many config.json names.
  ///
  /// - Throws: what `make` throws, for a layer without weights.
  public static func layers<Layer>(_ count: Int, _ make: (_ index: Int) throws -> Layer) rethrows -> [Layer] {
    var layers: [Layer] = []
    for index in 0..<count { layers.append(try make(index)) }
    return layers
  }

  /// Refuses a key that is true.
  ///
  /// - Parameter why: what follows "config.json: KEY is true; ".
  /// - Throws: `ComponentFailure` if it is.
  public static func refuse(_ key: String, _ why: String) throws {
    guard try !Checkpoint.boolean(key, default: false) else {
      throw ComponentFailure.unsupported("config.json: \(key) is true; \(why)")
    }
  }
}
