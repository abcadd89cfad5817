import CPTune
import PTune
import PTuneLibc

/// Attention over a pool: α = softmax(q·kᵀ·s/τ), where s is 1, or 1/√d as in Vaswani et al. (2017, eq. 1), and the
/// temperature τ is fixed or trained.
final class Attention: Selector {
  private let scaled: Bool
  private let temperature: Double
  /// ln τ, which keeps a trained temperature above zero.
  private let logTemperature: Parameter?

  init(scaled: Bool, temperature: Double, trainTemperature: Bool) throws {
    self.scaled = scaled
    self.temperature = temperature
    logTemperature =
      trainTemperature
      ? try Parameter("log_temperature", shape: [1], initial: .constant(Float(log(temperature)))) : nil
  }

  func weights(_ batch: Batch, queries: Tensor, keys: Tensor) throws -> Tensor {
    let scale = scaled ? 1 / Float(queries.columns).squareRoot() : 1
    let scores = scale * queries.matmul(keys, transposedOther: true)
    guard let logTemperature else { return scores.affine(scale: Float(1 / temperature)).softmax() }
    return (scores / logTemperature.value.exp()).softmax()
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.attention", version: Release.version) {
    [
      .selector(
        "attention", summary: "a softmax over the products of query and keys: every entry takes part",
        documentation: """
          Weighs all entries of a pool for each sequence: α = softmax(q·kᵀ·s/τ) for its query q and the keys k.

          Without scaling, s is 1, as prompt pools are usually written; `scaled` makes it 1/√d, as in the \
          attention of transformers. A temperature τ above 1 spreads the weights, one below 1 sharpens them. \
          `train_temperature` trains one more number, ln τ, which starts at that of `temperature`.
          """,
        .flag("scaled", default: false, "divide the products by √d, d being the size of a query"),
        .number("temperature", default: 1.0, in: 1e-4...1e4, "temperature τ of the softmax"),
        .flag("train_temperature", default: false, "train the temperature, starting with the given one"),
        make: Attention.init)
    ]
  }
}
