import CPTune

/// A tuning method: owns the trainable prompt parameters and states what to add to the base model's forward pass.
///
/// Parameters are declared in the component's `init`. Methods are called by one thread at a time.
public protocol Adapter: AnyObject {
  /// How many positions of the base model's limit the adapter takes from the text.
  var positions: Int { get }
  /// What AdamW should use for this adapter, with its hyperparameters, where the run says nothing; nil for no
  /// recommendation, which is the default.
  var learningRate: Double? { get }
  /// States what to add to the forward pass of this batch.
  func inject(_ batch: Batch, into injections: Injections) throws
}

extension Adapter {
  /// No recommendation.
  public var learningRate: Double? { nil }
}

/// An adapter whose file holds something else than its parameters as they are.
public protocol FoldingAdapter: Adapter {
  /// States what the adapter file holds.
  func save(to export: Export) throws
}

extension Component {
  /// An adapter component. See ``Component`` for the hyperparameters.
  ///
  /// - Parameters:
  ///   - asksSelector: whether it cannot work without ``Selection``.
  ///   - usesSites: whether it cannot work without ``Site``.
  public static func adapter<Method: Adapter, each Value: HyperparameterType>(
    _ name: String, summary: String, documentation: String, asksSelector: Bool = false,
    usesSites: Bool = false,
    _ hyperparameters: repeat Hyperparameter<each Value>,
    make: @escaping (repeat each Value) throws -> Method
  ) -> Component {
    Component(
      kind: PTUNE_ADAPTER, name: name, summary: summary, documentation: documentation,
      needs: [PTUNE_OPS_V1, PTUNE_PARAMETERS_V1, PTUNE_BASE_V1, PTUNE_INJECTIONS_V1]
        + (asksSelector ? [PTUNE_SELECT_V1] : []) + (usesSites ? [PTUNE_SITES_V1] : []),
      methods: Method.self is any FoldingAdapter.Type ? AdapterBox.foldingMethods : AdapterBox.methods,
      recommendation: AdapterBox.recommendation, hyperparameters: (repeat each hyperparameters)
    ) { (values: repeat each Value) in
      Unmanaged.passRetained(AdapterBox(try make(repeat each values))).toOpaque()
    }
  }
}

/// Carries a Swift adapter through the C ABI.
private final class AdapterBox {
  let adapter: any Adapter
  init(_ adapter: any Adapter) { self.adapter = adapter }

  static func of(_ pointer: UnsafeMutableRawPointer?) -> any Adapter {
    // The host passes back exactly what `create` stored.
    Unmanaged<AdapterBox>.fromOpaque(pointer!).takeUnretainedValue().adapter
  }

  static func table(folding: Bool) -> ptune_adapter_v1 {
    ptune_adapter_v1(
      struct_size: MemoryLayout<ptune_adapter_v1>.size,
      positions: { AdapterBox.of($0).positions },
      inject: { pointer, call, batch, into in
        Host.status(in: call) {
          try AdapterBox.of(pointer).inject(Batch(handle: batch), into: Injections(handle: into))
        }
      },
      save: !folding
        ? nil
        : { pointer, call, to in
          Host.status(in: call) {
            try (AdapterBox.of(pointer) as? any FoldingAdapter)?.save(to: Export(handle: to))
          }
        })
  }
  nonisolated(unsafe) static let methods = staticTable(table(folding: false))
  nonisolated(unsafe) static let recommendation = staticTable(
    ptune_recommendation_v1(
      struct_size: MemoryLayout<ptune_recommendation_v1>.size,
      learning_rate: { AdapterBox.of($0).learningRate ?? 0 }))
  nonisolated(unsafe) static let foldingMethods = staticTable(table(folding: true))
}

/// What an adapter adds to one forward pass (`ptune.injections/1`).
public struct Injections {
  let handle: OpaquePointer?
  private var table: ptune_injections_v1? { Host.tables.injections?.pointee }

  /// Wraps the handle an adapter was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  func check(_ status: ptune_status?) throws {
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "the injection")
  }
  /// Rows `[n, hidden]` among the word embeddings of every sequence; `[count·n, hidden]` where `perSequence`.
  public func input(_ rows: Tensor, at placement: Placement, perSequence: Bool = false) throws {
    try check(table?.input(handle, rows.handle, placement.rawValue, perSequence))
  }
  /// Rows `[n, hidden]` that join the input of a layer, for its keys and values only.
  public func hiddenPrefix(_ rows: Tensor, layer: Int, perSequence: Bool = false) throws {
    try check(table?.hidden_prefix(handle, layer, rows.handle, perSequence))
  }
  /// Keys and values `[n, key-value size]` that stand before those of a layer.
  public func keyValuePrefix(
    keys: Tensor, values: Tensor, layer: Int, perSequence: Bool = false
  ) throws {
    try check(table?.key_value_prefix(handle, layer, keys.handle, values.handle, perSequence))
  }
  /// The first token of each sequence is at this position instead of 0.
  public func startPositions(at position: Int) throws {
    try check(table?.first_position(handle, position))
  }
  /// A scalar `[1, 1]` that is added to the loss.
  public func addLoss(_ scalar: Tensor) throws { try check(table?.loss(handle, scalar.handle)) }
}

/// Where an input prompt stands in a sequence.
public enum Placement: Int32, HyperparameterChoice {
  /// Before everything, as PEFT does it.
  case start = 1
  /// After the text's first token, so that [CLS] stays at position 0.
  case afterFirst = 2
  /// After half of the text's tokens.
  case middle = 3
  /// After everything; refused in a causal model, where no token sees what stands behind it.
  case end = 4
  /// Where the task's template has its virtual tokens: `{prompt} {text} {prompt} It was {mask}.`
  case template = 5

  /// As a run file writes it: "after-first".
  public var name: String {
    switch self {
    case .start: "start"
    case .afterFirst: "after-first"
    case .middle: "middle"
    case .end: "end"
    case .template: "template"
    }
  }
}

/// Receives what an adapter file will hold (`ptune.export/1`).
public struct Export {
  let handle: OpaquePointer?

  /// Wraps the handle an adapter was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  /// A tensor of the result; `shape` nil for the tensor's own rows and columns.
  public func tensor(_ name: String, _ value: Tensor, shape: [Int]? = nil) throws {
    let status = Host.tables.export?.pointee.tensor(handle, name, value.handle, shape, shape?.count ?? 0)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "exporting '\(name)'")
  }
  /// A hyperparameter that the saved adapter has instead of the one it was trained with, as JSON.
  public func hyperparameter(_ name: String, json: String) throws {
    let status = Host.tables.export?.pointee.hyperparameter(handle, name, json)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "exporting '\(name)'")
  }
}
