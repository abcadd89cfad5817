import CPTune

/// Turns hidden rows into a loss, predictions and metrics; owns the head's parameters.
public protocol TaskHead: AnyObject {
  /// What a row of the scores of this type of head stands for.
  static var scoreRows: ScoreRows { get }
  /// What a row of this head's scores stands for: by default what its type says.
  var scoreRows: ScoreRows { get }
  /// Turns the label fields of a row into targets.
  func encode(_ example: Example, into targets: Targets) throws
  /// Scores from the hidden rows `[rows, hidden]`.
  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor
  /// The loss `[1, 1]` of these scores.
  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor
  /// What the scores of one example mean.
  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws
  /// Metrics over a whole evaluation; the first one stated selects the best adapter.
  func measure(_ evaluation: Evaluation) throws
}

extension TaskHead {
  public var scoreRows: ScoreRows { Self.scoreRows }
}

/// What a row of a head's scores stands for.
public enum ScoreRows: Int32, Sendable {
  /// A sequence.
  case perSequence = 1
  /// A token of the text.
  case perToken = 2
}

/// The scores of one example, `[rows, columns]`, row by row.
public struct ScoreMatrix {
  /// Valid until the call returns.
  public let values: UnsafeBufferPointer<Float>
  /// Number of columns.
  public let columns: Int
  /// Number of rows.
  public var rows: Int { columns == 0 ? 0 : values.count / columns }

  /// Scores of this shape.
  public init(values: UnsafeBufferPointer<Float>, columns: Int) {
    self.values = values
    self.columns = columns
  }
  /// Row r.
  public subscript(row: Int) -> Slice<UnsafeBufferPointer<Float>> {
    values[row * columns..<(row + 1) * columns]
  }
}

extension Component {
  /// A task head component. See ``Component`` for the hyperparameters.
  public static func taskHead<Head: TaskHead, each Value: HyperparameterType>(
    _ name: String, summary: String, documentation: String,
    _ hyperparameters: repeat Hyperparameter<each Value>,
    make: @escaping (repeat each Value) throws -> Head
  ) -> Component {
    Component(
      kind: PTUNE_TASK_HEAD, name: name, summary: summary, documentation: documentation,
      needs: [PTUNE_OPS_V1, PTUNE_PARAMETERS_V1, PTUNE_BASE_V1, PTUNE_BATCH_V1, PTUNE_DATA_V1],
      methods: Head.scoreRows == .perSequence ? TaskHeadBox.sequenceMethods : TaskHeadBox.tokenMethods,
      hyperparameters: (repeat each hyperparameters)
    ) { (values: repeat each Value) in
      Unmanaged.passRetained(TaskHeadBox(try make(repeat each values))).toOpaque()
    }
  }
}

/// Carries a Swift head through the C ABI.
private final class TaskHeadBox {
  let head: any TaskHead
  init(_ head: any TaskHead) { self.head = head }

  static func of(_ pointer: UnsafeMutableRawPointer?) -> any TaskHead {
    // The host passes back exactly what `create` stored.
    Unmanaged<TaskHeadBox>.fromOpaque(pointer!).takeUnretainedValue().head
  }

  static func table(_ rows: ScoreRows) -> ptune_task_head_v1 {
    ptune_task_head_v1(
      struct_size: MemoryLayout<ptune_task_head_v1>.size, score_rows: rows.rawValue,
      encode: { pointer, call, example, to in
        Host.status(in: call) {
          try TaskHeadBox.of(pointer).encode(Example(handle: example), into: Targets(handle: to))
        }
      },
      scores: { pointer, call, hidden, batch in
        Host.tensor(in: call) {
          try TaskHeadBox.of(pointer).scores(Tensor(handle: hidden), Batch(handle: batch))
        }
      },
      loss: { pointer, call, scores, batch in
        Host.tensor(in: call) {
          try TaskHeadBox.of(pointer).loss(Tensor(handle: scores), Batch(handle: batch))
        }
      },
      predict: { pointer, call, scores, rows, columns, example, to in
        Host.status(in: call) {
          let matrix = ScoreMatrix(
            values: UnsafeBufferPointer(start: scores, count: rows * columns), columns: columns)
          try TaskHeadBox.of(pointer).predict(matrix, Example(handle: example), into: Prediction(handle: to))
        }
      },
      measure: { pointer, call, evaluation in
        Host.status(in: call) { try TaskHeadBox.of(pointer).measure(Evaluation(handle: evaluation)) }
      })
  }
  nonisolated(unsafe) static let sequenceMethods = staticTable(table(.perSequence))
  nonisolated(unsafe) static let tokenMethods = staticTable(table(.perToken))
}

/// One row of data as a head sees it (`ptune.data/1`).
public struct Example {
  let handle: OpaquePointer?
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  /// A field of the row as text; nil if the row has none.
  public func field(_ name: String) -> String? {
    Host.tables.data?.pointee.field(handle, name).map { String(cString: $0) }
  }

  /// A field of the row that is a JSON list of texts; nil if the row has none, or something else.
  public func list(_ name: String) -> [String]? { field(name).flatMap { jsonTexts($0) } }

  /// The tokens of the row, special tokens included, and where each came from. Empty where the caller has none.
  public var tokens: [Token] {
    var ids: UnsafePointer<Int32>?
    var spans: UnsafePointer<ptune_span_v1>?
    guard let count = Host.tables.data?.pointee.tokens(handle, &ids, &spans), let ids, let spans else {
      return []
    }
    return (0..<count).map { index in
      let (span, id) = (spans[index], ids[index])
      let bytes = Int(span.begin)..<max(Int(span.begin), Int(span.end))
      return Token(id: id, field: span.field < 0 ? nil : Int(span.field), bytes: bytes)
    }
  }

  /// A token and its place in the row's texts.
  public struct Token: Sendable {
    /// Its id in the vocabulary.
    public let id: Int32
    /// 0: the text, 1: the second text; nil: a special token.
    public let field: Int?
    /// The bytes of the field's UTF-8 that it stands for.
    public let bytes: Range<Int>
  }
}

/// Receives the targets of a row (`ptune.data/1`).
public struct Targets {
  let handle: OpaquePointer?
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  /// Appends integer targets.
  public func emit(_ values: [Int32]) throws {
    let status = Host.tables.data?.pointee.emit_integers(handle, values, values.count)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "emitting targets")
  }
  /// Appends number targets.
  public func emit(_ values: [Float]) throws {
    let status = Host.tables.data?.pointee.emit_numbers(handle, values, values.count)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "emitting targets")
  }
}

/// Receives the prediction for an example: members of a JSON object (`ptune.data/1`).
public struct Prediction {
  let handle: OpaquePointer?
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  private func put(json value: String, _ key: String) throws {
    let status = Host.tables.data?.pointee.put(handle, key, value)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "stating '\(key)'")
  }
  /// A text.
  public func put(_ text: String, as key: String) throws { try put(json: jsonText(text), key) }
  /// A number.
  public func put(_ number: Double, as key: String) throws { try put(json: jsonNumber(number), key) }
  /// A value of any shape.
  public func put(_ value: PredictionValue, as key: String) throws { try put(json: value.json, key) }
  /// An object of numbers, in this order.
  public func put(_ numbers: [(String, Double)], as key: String) throws {
    let members = numbers.map { "\(jsonText($0.0)): \(jsonNumber($0.1))" }
    try put(json: "{\(members.joined(separator: ", "))}", key)
  }
}

/// All scores and targets of an evaluation (`ptune.data/1`).
public struct Evaluation {
  let handle: OpaquePointer?
  private var table: ptune_data_v1? { Host.tables.data?.pointee }
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  /// Number of examples.
  public var count: Int { table?.example_count(handle) ?? 0 }
  /// The scores of one example.
  public func scores(_ example: Int) -> ScoreMatrix {
    var rows = 0
    var columns = 0
    let values = table?.scores(handle, example, &rows, &columns)
    return ScoreMatrix(values: UnsafeBufferPointer(start: values, count: rows * columns), columns: columns)
  }
  /// The integer targets of one example.
  public func integers(_ example: Int) -> UnsafeBufferPointer<Int32> {
    var count = 0
    let values = table?.integers(handle, example, &count)
    return UnsafeBufferPointer(start: values, count: count)
  }
  /// The number targets of one example.
  public func numbers(_ example: Int) -> UnsafeBufferPointer<Float> {
    var count = 0
    let values = table?.numbers(handle, example, &count)
    return UnsafeBufferPointer(start: values, count: count)
  }
  /// States a metric.
  public func state(_ name: String, _ value: Double, higherIsBetter: Bool = true) throws {
    let status = table?.metric(handle, name, value, higherIsBetter)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "stating metric '\(name)'")
  }
}
