import CPTune

/// A frozen network: turns packed token rows, with what an adapter injects, into hidden rows.
///
/// Weights are loaded in the component's `init` through ``Checkpoint``. Methods are called by one thread at a time.
public protocol BaseModel: AnyObject {
  /// What adapters and heads need to know.
  var facts: BaseFacts { get }
  /// The word embedding table, `[vocabulary, hidden]`: a weight that `init` loaded.
  var wordTable: Tensor { get }
  /// The last hidden rows, `[rows, hidden]`.
  func forward(_ forward: Forward) throws -> Tensor
  /// The model's own pooling layer on rows `[n, hidden]`.
  ///
  /// - Throws: ``ComponentFailure`` where the model has none, which is what the default does.
  func pooler(_ rows: Tensor) throws -> Tensor
  /// Scores over the vocabulary for hidden rows `[n, hidden]`: `[n, vocabulary]`.
  ///
  /// - Throws: ``ComponentFailure`` where the model has none, which is what the default does.
  func vocabularyScores(_ rows: Tensor) throws -> Tensor
}

extension BaseModel {
  public func pooler(_ rows: Tensor) throws -> Tensor {
    throw ComponentFailure.unsupported("this base model has no pooling layer of its own")
  }
  public func vocabularyScores(_ rows: Tensor) throws -> Tensor {
    throw ComponentFailure.unsupported("this base model does not score the vocabulary")
  }
}

extension Component {
  /// A base model component. See ``Component`` for the hyperparameters.
  public static func baseModel<each Value: HyperparameterType>(
    _ name: String, summary: String, documentation: String,
    _ hyperparameters: repeat Hyperparameter<each Value>,
    make: @escaping (repeat each Value) throws -> any BaseModel
  ) -> Component {
    Component(
      kind: PTUNE_BASE_MODEL, name: name, summary: summary, documentation: documentation,
      needs: [PTUNE_OPS_V1, PTUNE_CHECKPOINT_V1, PTUNE_FORWARD_V1], methods: BaseModelBox.methods,
      hyperparameters: (repeat each hyperparameters)
    ) { (values: repeat each Value) in
      Unmanaged.passRetained(BaseModelBox(try make(repeat each values))).toOpaque()
    }
  }
}

/// Carries a Swift base model through the C ABI.
private final class BaseModelBox {
  let model: any BaseModel
  init(_ model: any BaseModel) { self.model = model }

  static func of(_ pointer: UnsafeMutableRawPointer?) -> any BaseModel {
    // The host passes back exactly what `create` stored.
    Unmanaged<BaseModelBox>.fromOpaque(pointer!).takeUnretainedValue().model
  }

  nonisolated(unsafe) static let methods: UnsafeRawPointer = staticTable(
    ptune_base_model_v1(
      struct_size: MemoryLayout<ptune_base_model_v1>.size,
      facts: { pointer, out in out?.pointee = BaseModelBox.of(pointer).facts.raw },
      word_table: { BaseModelBox.of($0).wordTable.handle },
      forward: { pointer, call, forward in
        Host.tensor(in: call) { try BaseModelBox.of(pointer).forward(Forward(handle: forward)) }
      },
      pooler: { pointer, call, rows in
        Host.tensor(in: call) { try BaseModelBox.of(pointer).pooler(Tensor(handle: rows)) }
      },
      vocabulary_scores: { pointer, call, rows in
        Host.tensor(in: call) { try BaseModelBox.of(pointer).vocabularyScores(Tensor(handle: rows)) }
      }))
}

/// A copy of a method table that lives as long as the process.
func staticTable<Table>(_ table: Table) -> UnsafeRawPointer {
  let copy = UnsafeMutablePointer<Table>.allocate(capacity: 1)
  copy.initialize(to: table)
  return UnsafeRawPointer(copy)
}

/// What a base model is made of: the keys of config.json and the weights (`ptune.checkpoint/1`).
public enum Checkpoint {
  private static var table: ptune_checkpoint_v1? { Host.tables.checkpoint?.pointee }

  /// A whole number of config.json.
  ///
  /// - Throws: ``ComponentFailure`` if the key is absent without a default, or holds something else.
  public static func integer(_ key: String, default value: Int? = nil) throws -> Int {
    var number: Int64 = 0
    let found = table?.config_integer(Host.currentCall, key, &number) ?? ptune_found(PTUNE_ABSENT)
    return try resolve(key, found, Int(number), value)
  }
  /// A number of config.json.
  public static func number(_ key: String, default value: Double? = nil) throws -> Double {
    var number = 0.0
    let found = table?.config_number(Host.currentCall, key, &number) ?? ptune_found(PTUNE_ABSENT)
    return try resolve(key, found, number, value)
  }
  /// A boolean of config.json.
  public static func boolean(_ key: String, default value: Bool? = nil) throws -> Bool {
    var flag = false
    let found = table?.config_boolean(Host.currentCall, key, &flag) ?? ptune_found(PTUNE_ABSENT)
    return try resolve(key, found, flag, value)
  }
  /// A text of config.json.
  public static func string(_ key: String, default value: String? = nil) throws -> String {
    var text: UnsafePointer<CChar>?
    let found = table?.config_string(Host.currentCall, key, &text) ?? ptune_found(PTUNE_ABSENT)
    return try resolve(key, found, text.map { String(cString: $0) } ?? "", value)
  }

  private static func resolve<T>(_ key: String, _ found: ptune_found, _ value: T, _ fallback: T?) throws -> T {
    if found == PTUNE_FOUND { return value }
    if found == PTUNE_ABSENT, let fallback { return fallback }
    throw ComponentFailure.badArgument("config.json has no key '\(key)', which this base model needs")
  }

  /// Whether the checkpoint holds a tensor of this name.
  public static func hasWeight(_ name: String) -> Bool {
    table?.has_weight(Host.currentCall, name) ?? false
  }

  /// A frozen weight, `[rows, columns]`; a vector is `[1, n]`.
  ///
  /// - Parameter transposed: it is stored `[columns, rows]`, as GPT-2 stores its linear layers.
  /// - Throws: ``ComponentFailure`` if it is missing or has another shape.
  public static func weight(
    _ name: String, rows: Int = 1, columns: Int, transposed: Bool = false
  ) throws -> Tensor {
    guard let handle = table?.weight(Host.currentCall, name, rows, columns, transposed) else {
      throw ComponentFailure("loading weight '\(name)' failed")
    }
    return Tensor(handle: handle)
  }
}

/// One forward pass of a base model (`ptune.forward/1`).
public struct Forward {
  let handle: OpaquePointer?
  private var table: ptune_forward_v1? { Host.tables.forward?.pointee }

  /// Wraps the handle a base model was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  private var rows: ptune_rows_v1 {
    var rows = ptune_rows_v1()
    table?.rows(handle, &rows)
    return rows
  }
  /// The position of each packed row within its sequence, `[rows]`.
  public var positions: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: rows.positions, count: rows.count)
  }
  /// The segment (0 or 1) of each packed row, `[rows]`.
  public var tokenTypes: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(start: rows.token_types, count: rows.count)
  }
  /// Word embeddings of the text, with the rows an adapter injects at their places: `[rows, hidden]`.
  public func inputRows(from table: Tensor) -> Tensor {
    Tensor(handle: self.table?.input_rows(handle, table.handle))
  }
  /// x·Wᵀ + bias with frozen weights: the site where low-rank deltas and scalings attach.
  public func linear(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil) -> Tensor {
    Tensor(handle: table?.linear(handle, x.handle, weight.handle, bias?.handle, bias != nil))
  }
  /// The rows that keys and values of a layer are computed from: hidden prefix rows, then those of x.
  public func keyRows(layer: Int, _ x: Tensor) -> Tensor {
    Tensor(handle: table?.key_rows(handle, layer, x.handle))
  }
  /// softmax(q·kᵀ/√d)·v per head, of each sequence to itself and to what is injected at this layer
  /// (Vaswani 2017, eq. 1): q `[rows, heads·d]`, k and v `[key rows, keyValueHeads·d]`.
  public func attention(
    layer: Int, queries: Tensor, keys: Tensor, values: Tensor, heads: Int, keyValueHeads: Int
  ) -> Tensor {
    Tensor(
      handle: table?.attention(
        handle, layer, queries.handle, keys.handle, values.handle, heads, keyValueHeads))
  }
}
