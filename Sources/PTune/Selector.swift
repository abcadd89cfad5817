import CPTune

/// Maps a representation of each input to weights over a pool.
///
/// Parameters are declared in the component's `init`. Methods are called by one thread at a time.
public protocol Selector: AnyObject {
  /// Weights `[count, keys]` from queries `[count, d]` and keys `[keys, d]`; the batch holds the queries' sequences.
  func weights(_ batch: Batch, queries: Tensor, keys: Tensor) throws -> Tensor
}

extension Component {
  /// A selector component. See ``Component`` for the hyperparameters.
  public static func selector<each Value: HyperparameterType>(
    _ name: String, summary: String, documentation: String,
    _ hyperparameters: repeat Hyperparameter<each Value>,
    make: @escaping (repeat each Value) throws -> any Selector
  ) -> Component {
    Component(
      kind: PTUNE_SELECTOR, name: name, summary: summary, documentation: documentation,
      needs: [PTUNE_OPS_V1, PTUNE_PARAMETERS_V1], methods: SelectorBox.methods,
      hyperparameters: (repeat each hyperparameters)
    ) { (values: repeat each Value) in
      Unmanaged.passRetained(SelectorBox(try make(repeat each values))).toOpaque()
    }
  }
}

/// Carries a Swift selector through the C ABI.
private final class SelectorBox {
  let selector: any Selector
  init(_ selector: any Selector) { self.selector = selector }

  nonisolated(unsafe) static let methods = staticTable(
    ptune_selector_v1(
      struct_size: MemoryLayout<ptune_selector_v1>.size,
      weights: { pointer, call, batch, queries, keys in
        Host.tensor(in: call) {
          // The host passes back exactly what `create` stored.
          try Unmanaged<SelectorBox>.fromOpaque(pointer!).takeUnretainedValue().selector.weights(
            Batch(handle: batch), queries: Tensor(handle: queries), keys: Tensor(handle: keys))
        }
      }))
}

extension Tensor {
  /// Each row at length 1, so that products of rows are cosines; a row of zeros stays one.
  public func unitRows() -> Tensor {
    self / (self * self).sum(over: .columns).affine(scale: 1, shift: 1e-12).squareRoot()
  }
}

/// The selector that the run names, as an adapter with a pool uses it (`ptune.select/1`).
public enum Selection {
  /// States, in an adapter's `init`, that it is going to ask for weights over so many keys `[keys, columns]`.
  public static func announce(keys: Int, columns: Int) throws {
    let status = Host.tables.select?.pointee.announce(Host.currentCall, keys, columns)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "announcing a pool")
  }

  /// What the run's adapter announced; for a selector's `init`.
  public static func announced() throws -> (keys: Int, columns: Int) {
    var (keys, columns) = (0, 0)
    let status = Host.tables.select?.pointee.announced(Host.currentCall, &keys, &columns)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "asking for the pool's size")
    return (keys, columns)
  }

  /// Weights `[count, keys]` over a pool from queries `[count, d]` and keys `[keys, d]`.
  ///
  /// - Parameter first: the sequence of the batch that the first query belongs to.
  public static func weights(queries: Tensor, keys: Tensor, first: Int = 0) -> Tensor {
    Tensor(handle: Host.tables.select?.pointee.weights(Host.currentCall, first, queries.handle, keys.handle))
  }
}
