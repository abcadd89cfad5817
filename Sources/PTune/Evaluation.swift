import CPTune

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

/// All scores and targets of an evaluation (`ptune.data/1`).
public struct Evaluation {
  let handle: OpaquePointer?
  private var table: ptune_data_v1? { Host.tables.data?.pointee }
  /// Wraps the handle a head was given.
  public init(handle: OpaquePointer?) { self.handle = handle }

  /// Number of examples.
  public var count: Int { table?.example_count(handle) ?? 0 }
  /// The scores of one example; those of several sequences stand end to end.
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
  /// The row of one example, valid until the next one is asked for.
  ///
  /// - Throws: `ComponentFailure` if it cannot be laid out.
  public func example(_ example: Int) throws -> Example {
    guard let row = table?.example(handle, example) else {
      throw ComponentFailure("there is no row of example \(example)")
    }
    return Example(handle: row)
  }
  /// States a metric.
  public func state(_ name: String, _ value: Double, higherIsBetter: Bool = true) throws {
    let status = table?.metric(handle, name, value, higherIsBetter)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "stating metric '\(name)'")
  }
}
