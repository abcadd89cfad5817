import PTune
import PTuneLayers

/// One layer of an encoder: x + attention, norm; + feed-forward, norm.
struct EncoderLayer {
  let index, heads: Int
  let query, key, value, output, up, down: FrozenLinear
  let attentionNorm, outputNorm: Norm
  let activation: Activation

  /// The extra parts of layers with relative positions, and of those of a decoder.
  private static let weightsOfKin = [
    "attention.self.distance_embedding.weight", "crossattention.self.query.weight",
  ]

  /// - Parameters:
  ///   - prefix: of the checkpoint's names.
  ///   - path: of the layer's modules, which sites have too.
  init(
    _ prefix: String, _ path: String, _ names: EncoderLayout.LayerNames, index: Int, size: Int, inner: Int,
    heads: Int,
    activation: Activation, epsilon: Double
  ) throws {
    self.index = index
    self.heads = heads
    self.activation = activation
    func linear(_ name: String, _ inputs: Int, _ outputs: Int, _ role: Site.Roles) throws -> FrozenLinear {
      try FrozenLinear(prefix + path + name, inputs, outputs).site(path + name, layer: index, role)
    }
    query = try linear(names.query, size, size, .query)
    key = try linear(names.key, size, size, .key)
    value = try linear(names.value, size, size, .value)
    output = try linear(names.output, size, size, .attentionOutput)
    attentionNorm = try Norm(prefix + path + names.attentionNorm, size, epsilon)
    up = try linear(names.up, size, inner, .feedForwardIn)
    down = try linear(names.down, inner, size, .feedForwardOut)
    outputNorm = try Norm(prefix + path + names.outputNorm, size, epsilon)
    for name in Self.weightsOfKin { try Architecture.refuse(weight: prefix + path + name) }
  }

  /// `[rows, hidden] -> [rows, hidden]`
  func callAsFunction(_ x: Tensor, _ forward: Forward) -> Tensor {
    let source = forward.keyRows(layer: index, x)
    let attended = forward.attention(
      layer: index, queries: query(x, forward), keys: key(source, forward), values: value(source, forward),
      heads: heads, keyValueHeads: heads)
    let middle = attentionNorm(x + output(attended, forward))
    return outputNorm(middle + down(activation(up(middle, forward)), forward))
  }
}
