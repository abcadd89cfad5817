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
    let row: (() throws -> ExampleRow)?
  }
  var entries: [Entry] = []
  var scores = GrowingArray<Float>()
  var integers = GrowingArray<Int32>()
  var numbers = GrowingArray<Float>()
  /// The row that the head looks at.
  var rowHandle: OpaquePointer?
  /// In the order they were stated; the first one is the one that counts.
  public internal(set) var metrics: [Metric] = []

  /// An evaluation without examples.
  public init() {}

  /// Number of examples.
  public var count: Int { entries.count }

  /// Adds an example's scores, `[rows, columns]`, and targets.
  ///
  /// - Parameter row: lays out the example's row, for heads that measure texts; called when one asks for it.
  public func add(
    scores: [Float], columns: Int, integers: some Collection<Int32>, numbers: some Collection<Float>,
    row: (() throws -> ExampleRow)? = nil
  ) {
    let firstInteger = self.integers.count
    let firstNumber = self.numbers.count
    entries.append(
      Entry(
        offset: self.scores.count, rows: columns == 0 ? 0 : scores.count / columns, columns: columns,
        integers: firstInteger..<firstInteger + integers.count,
        numbers: firstNumber..<firstNumber + numbers.count, row: row))
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
