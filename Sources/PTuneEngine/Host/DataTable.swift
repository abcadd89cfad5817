import CPTune

/// One row of data, as a head sees it.
public final class ExampleRow {
  let fields: [String: String]
  let tokens: [Int32]
  let spans: [ptune_span_v1]
  private var strings: [String: UnsafeMutablePointer<CChar>] = [:]

  /// A row with these fields; tokens and spans where a head needs them.
  public init(fields: [String: String], tokens: [Int32] = [], spans: [(field: Int, range: Range<Int>)] = []) {
    self.fields = fields
    self.tokens = tokens
    self.spans = spans.map {
      ptune_span_v1(field: Int32($0.field), begin: Int32($0.range.lowerBound), end: Int32($0.range.upperBound))
    }
  }

  deinit { for string in strings.values { string.deallocate() } }

  fileprivate func field(_ name: String) -> UnsafePointer<CChar>? {
    if let known = strings[name] { return UnsafePointer(known) }
    guard let bytes = fields[name].map({ Array($0.utf8CString) }) else { return nil }
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    strings[name] = copy
    return UnsafePointer(copy)
  }

  fileprivate func withTokens(
    _ ids: UnsafeMutablePointer<UnsafePointer<Int32>?>?,
    _ places: UnsafeMutablePointer<UnsafePointer<ptune_span_v1>?>?
  ) -> Int {
    if tokenMemory == nil {
      let memory = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, tokens.count))
      memory.initialize(from: tokens, count: tokens.count)
      let spanCopy = UnsafeMutablePointer<ptune_span_v1>.allocate(capacity: max(1, spans.count))
      spanCopy.initialize(from: spans, count: spans.count)
      tokenMemory = Memory(tokens: memory, spans: spanCopy)
    }
    ids?.pointee = tokenMemory.map { UnsafePointer($0.tokens) }
    places?.pointee = tokenMemory.map { UnsafePointer($0.spans) }
    return tokens.count
  }

  private final class Memory {
    let tokens: UnsafeMutablePointer<Int32>
    let spans: UnsafeMutablePointer<ptune_span_v1>
    init(tokens: UnsafeMutablePointer<Int32>, spans: UnsafeMutablePointer<ptune_span_v1>) {
      self.tokens = tokens
      self.spans = spans
    }
    deinit {
      tokens.deallocate()
      spans.deallocate()
    }
  }
  private var tokenMemory: Memory?
}

/// Collects what `encode` emits.
public final class TargetCollector {
  /// Integer targets, in order.
  public fileprivate(set) var integers: [Int32] = []
  /// Number targets, in order.
  public fileprivate(set) var numbers: [Float] = []
}

/// Collects what `predict` states: keys and JSON values.
public final class PredictionCollector {
  /// In the order they were stated.
  public fileprivate(set) var members: [(key: String, json: String)] = []
}

/// All scores and targets of an evaluation, and the metrics a head makes of them.
public final class EvaluationRecord {
  /// A metric as the head states it.
  public struct Metric: Sendable {
    /// Its name.
    public let name: String
    /// Its value.
    public let value: Double
    /// Which direction is better.
    public let higherIsBetter: Bool

    /// A metric.
    public init(name: String, value: Double, higherIsBetter: Bool) {
      self.name = name
      self.value = value
      self.higherIsBetter = higherIsBetter
    }
  }
  struct Entry {
    let offset, rows, columns: Int
    let integers, numbers: Range<Int>
  }
  fileprivate var entries: [Entry] = []
  fileprivate var scores = GrowingArray<Float>()
  fileprivate var integers = GrowingArray<Int32>()
  fileprivate var numbers = GrowingArray<Float>()
  /// In the order they were stated; the first one is the one that counts.
  public fileprivate(set) var metrics: [Metric] = []

  /// An evaluation without examples.
  public init() {}

  /// Number of examples.
  public var count: Int { entries.count }

  /// Adds an example's scores, `[rows, columns]`, and targets.
  public func add(scores: [Float], columns: Int, integers: some Collection<Int32>, numbers: some Collection<Float>) {
    let firstInteger = self.integers.count
    let firstNumber = self.numbers.count
    entries.append(
      Entry(
        offset: self.scores.count, rows: columns == 0 ? 0 : scores.count / columns, columns: columns,
        integers: firstInteger..<firstInteger + integers.count,
        numbers: firstNumber..<firstNumber + numbers.count))
    self.scores.append(scores)
    self.integers.append(integers)
    self.numbers.append(numbers)
  }
}

/// A growing array at an address that stays while nothing is appended.
struct GrowingArray<Element> {
  private final class Memory {
    var pointer: UnsafeMutablePointer<Element>
    var capacity: Int
    init(capacity: Int) {
      pointer = .allocate(capacity: capacity)
      self.capacity = capacity
    }
    deinit { pointer.deallocate() }
  }
  private var memory = Memory(capacity: 64)
  private(set) var count = 0

  var pointer: UnsafePointer<Element> { UnsafePointer(memory.pointer) }

  mutating func append(_ elements: some Collection<Element>) {
    if count + elements.count > memory.capacity {
      let grown = Memory(capacity: max(2 * memory.capacity, count + elements.count))
      grown.pointer.moveInitialize(from: memory.pointer, count: count)
      memory = grown
    }
    for element in elements {
      (memory.pointer + count).initialize(to: element)
      count += 1
    }
  }
}

/// `ptune.data/1`
enum DataTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_data_v1(
      struct_size: MemoryLayout<ptune_data_v1>.size,
      field: { pointer, name in
        guard let name, let row = Session.current?.object(pointer, .example, ExampleRow.self) else {
          return nil
        }
        return row.field(String(cString: name))
      },
      tokens: { pointer, ids, spans in
        Session.current?.object(pointer, .example, ExampleRow.self)?.withTokens(ids, spans) ?? 0
      },
      emit_integers: { pointer, values, count in
        guard let recorder = Recorder("emit_integers"),
          let to = recorder.session.object(pointer, .targets, TargetCollector.self),
          let values = recorder.array(values, count, "targets")
        else { return ptune_status(PTUNE_FAILED) }
        to.integers += values
        return ptune_status(PTUNE_OK)
      },
      emit_numbers: { pointer, values, count in
        guard let recorder = Recorder("emit_numbers"),
          let to = recorder.session.object(pointer, .targets, TargetCollector.self),
          let values = recorder.array(values, count, "targets")
        else { return ptune_status(PTUNE_FAILED) }
        to.numbers += values
        return ptune_status(PTUNE_OK)
      },
      put: { pointer, key, value in
        guard let key, let value,
          let to = Session.current?.object(pointer, .prediction, PredictionCollector.self)
        else { return ptune_status(PTUNE_FAILED) }
        to.members.append((String(cString: key), String(cString: value)))
        return ptune_status(PTUNE_OK)
      },
      example_count: { evaluation($0)?.count ?? 0 },
      scores: { pointer, example, rows, columns in
        guard let (record, entry) = entry(pointer, example) else { return nil }
        rows?.pointee = entry.rows
        columns?.pointee = entry.columns
        return record.scores.pointer + entry.offset
      },
      integers: { pointer, example, count in
        guard let (record, entry) = entry(pointer, example) else { return nil }
        count?.pointee = entry.integers.count
        return record.integers.pointer + entry.integers.lowerBound
      },
      numbers: { pointer, example, count in
        guard let (record, entry) = entry(pointer, example) else { return nil }
        count?.pointee = entry.numbers.count
        return record.numbers.pointer + entry.numbers.lowerBound
      },
      metric: { pointer, name, value, higherIsBetter in
        guard let name, let record = evaluation(pointer) else { return ptune_status(PTUNE_FAILED) }
        record.metrics.append(
          .init(name: String(cString: name), value: value, higherIsBetter: higherIsBetter))
        return ptune_status(PTUNE_OK)
      }))

  private static func evaluation(_ pointer: OpaquePointer?) -> EvaluationRecord? {
    Session.current?.object(pointer, .evaluation, EvaluationRecord.self)
  }

  private static func entry(
    _ pointer: OpaquePointer?, _ example: Int
  ) -> (EvaluationRecord, EvaluationRecord.Entry)? {
    guard let record = evaluation(pointer) else { return nil }
    guard record.entries.indices.contains(example) else {
      Session.current?.record("example \(example) of an evaluation of \(record.entries.count)")
      return nil
    }
    return (record, record.entries[example])
  }
}

/// What an adapter states for its file.
final class ExportRecord {
  var tensors: [(name: String, shape: [Int], node: Node)] = []
  var hyperparameters: [(name: String, json: String)] = []
}

/// `ptune.export/1`
enum ExportTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_export_v1(
      struct_size: MemoryLayout<ptune_export_v1>.size,
      tensor: { pointer, name, value, shape, rank in
        guard let recorder = Recorder("export"), let name, let node = recorder.node(value),
          let record = recorder.session.object(pointer, .export, ExportRecord.self)
        else { return ptune_status(PTUNE_FAILED) }
        let dimensions = shape.map { Array(UnsafeBufferPointer(start: $0, count: min(max(0, rank), 8))) }
        let stated = dimensions ?? [node.rows, node.columns]
        guard stated.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == node.count else {
          _ = recorder.fail("'\(String(cString: name))' \(node.shapeText) as \(stated)")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        record.tensors.append((String(cString: name), stated, node))
        return ptune_status(PTUNE_OK)
      },
      hyperparameter: { pointer, name, value in
        guard let name, let value,
          let record = Session.current?.object(pointer, .export, ExportRecord.self)
        else { return ptune_status(PTUNE_FAILED) }
        record.hyperparameters.append((String(cString: name), String(cString: value)))
        return ptune_status(PTUNE_OK)
      }))
}
