import CPTune
import PTune

/// __NAME__: weighs the entries of a prompt pool by attention with a trained scale s:
///
///     α = softmax(s · q·kᵀ / √d)
///
/// Change the maths in `weights`, the hyperparameters below, and tests/parity.py.
final class __TYPE__: Selector {
  private let scale: Parameter

  init(start: Double) throws {
    scale = try Parameter("scale", shape: [1, 1], initial: .constant(Float(start)))
  }

  /// Weights [count, keys] from queries [count, d] and keys [keys, d].
  func weights(_ batch: Batch, queries: Tensor, keys: Tensor) throws -> Tensor {
    let products = queries.matmul(keys, transposedOther: true)
    let scaled = products.affine(scale: 1 / Float(queries.columns).squareRoot())
    return (scaled * scale.value).softmax()
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "org.example.__NAME__", version: "1.0.0") {
    [
      .selector(
        "__NAME__", summary: "attention over the pool with a trained scale",
        documentation: "Trains one number, the scale of the products of query and keys.",
        .number("start", default: 1, in: 0.01...100, "the scale at first"),
        make: __TYPE__.init)
    ]
  }
}
