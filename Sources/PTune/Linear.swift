/// A trained layer x·Wᵀ + b, which starts as PyTorch's does: uniform within ±1/√inputs; b may start otherwise.
public struct Linear {
  private let weight: Parameter
  private let bias: Parameter?

  /// Declares the parameters `NAME.weight` `[outputs, inputs]` and `NAME.bias` `[outputs]`.
  ///
  /// - Parameters:
  ///   - bias: how b starts; by default as W does.
  ///   - hasBias: whether there is a b.
  /// - Throws: ``ComponentFailure`` if the host refuses one.
  public init(
    _ name: String, inputs: Int, outputs: Int, bias initial: Parameter.Initial? = nil,
    hasBias: Bool = true
  ) throws {
    let bound = 1 / Float(inputs).squareRoot()
    weight = try Parameter("\(name).weight", shape: [outputs, inputs], initial: .uniform(-bound, bound))
    bias =
      hasBias
      ? try Parameter("\(name).bias", shape: [outputs], initial: initial ?? .uniform(-bound, bound)) : nil
  }

  /// `[rows, inputs] -> [rows, outputs]`
  public func callAsFunction(_ x: Tensor) -> Tensor { x.linear(weight.value, bias: bias?.value) }
}
