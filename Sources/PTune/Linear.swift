/// A trained layer x·Wᵀ + b, which starts as PyTorch's does: uniform within ±1/√inputs.
public struct Linear {
  private let weight: Parameter
  private let bias: Parameter

  /// Declares the parameters `NAME.weight` `[outputs, inputs]` and `NAME.bias` `[outputs]`.
  ///
  /// - Throws: ``ComponentFailure`` if the host refuses one.
  public init(_ name: String, inputs: Int, outputs: Int) throws {
    let bound = 1 / Float(inputs).squareRoot()
    weight = try Parameter("\(name).weight", shape: [outputs, inputs], initial: .uniform(-bound, bound))
    bias = try Parameter("\(name).bias", shape: [outputs], initial: .uniform(-bound, bound))
  }

  /// `[rows, inputs] -> [rows, outputs]`
  public func callAsFunction(_ x: Tensor) -> Tensor { x.linear(weight.value, bias: bias.value) }
}
