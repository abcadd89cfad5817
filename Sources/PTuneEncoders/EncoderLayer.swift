import PTune
import PTuneLayers

/// One layer of an encoder: x + attention, norm; + feed-forward, norm.
struct EncoderLayer {
  let index, heads: Int
  let query, key, value, output, up, down: FrozenLinear
  let attentionNorm, outputNorm: Norm
  let activation: Activation

  init(
    _ path: String, _ names: EncoderLayout.LayerNames, index: Int, size: Int, inner: Int, heads: Int,
    activation: Activation, epsilon: Double
  ) throws {
    self.index = index
    self.heads = heads
    self.activation = activation
    query = try FrozenLinear(path + names.query, size, size)
    key = try FrozenLinear(path + names.key, size, size)
    value = try FrozenLinear(path + names.value, size, size)
    output = try FrozenLinear(path + names.output, size, size)
    attentionNorm = try Norm(path + names.attentionNorm, size, epsilon)
    up = try FrozenLinear(path + names.up, size, inner)
    down = try FrozenLinear(path + names.down, inner, size)
    outputNorm = try Norm(path + names.outputNorm, size, epsilon)
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
