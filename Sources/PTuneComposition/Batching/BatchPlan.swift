/// Which examples go into which batch, in which order.
///
/// Every example is in exactly one batch, and only the plan's shortest batch may be smaller than asked for.
public struct BatchPlan: Sendable, Equatable {
  /// Indices of the examples, batch by batch.
  public let batches: [[Int]]

  /// Number of examples.
  public let count: Int

  private init(order: [Int], batchSize: Int) {
    count = order.count
    batches = stride(from: 0, to: order.count, by: batchSize).map {
      Array(order[$0..<Swift.min($0 + batchSize, order.count)])
    }
  }

  private init(batches: [[Int]], count: Int) {
    self.batches = batches
    self.count = count
  }

  /// A training epoch: random order, yet texts of similar length together, so that no thread waits for one long text.
  ///
  /// Examples are shuffled, cut into windows of `windowBatches` batches, sorted by length within each window and cut
  /// into batches, and the batches are shuffled. The result depends on the arguments alone.
  public static func shuffled(
    lengths: [Int], batchSize: Int, seed: UInt64, epoch: Int, windowBatches: Int = 50
  ) -> BatchPlan {
    precondition(batchSize > 0 && windowBatches > 0, "batches and windows hold at least one")
    var generator = SeededGenerator(seed: seed, stream: UInt64(bitPattern: Int64(epoch)))
    var order = Array(lengths.indices)
    generator.shuffle(&order)
    let window = batchSize.multipliedReportingOverflow(by: windowBatches)
    let step = window.overflow ? Int.max : window.partialValue
    var begin = 0
    while begin < order.count {
      let end = order.count - begin > step ? begin + step : order.count
      order.replaceSubrange(begin..<end, with: sortedByLength(Array(order[begin..<end]), lengths))
      begin = end
    }
    var batches = BatchPlan(order: order, batchSize: batchSize).batches
    generator.shuffle(&batches)
    return BatchPlan(batches: batches, count: lengths.count)
  }

  /// Examples in their own order, for evaluation.
  public static func sequential(count: Int, batchSize: Int) -> BatchPlan {
    precondition(batchSize > 0, "a batch holds at least one")
    return BatchPlan(order: Array(0..<count), batchSize: batchSize)
  }

  /// Examples from the longest to the shortest, for evaluation; `restoringOrder(_:)` puts the results back in order.
  ///
  /// The longest come first, so a batch that does not fit into memory fails at once and not at the end.
  public static func sortedByLength(lengths: [Int], batchSize: Int) -> BatchPlan {
    precondition(batchSize > 0, "a batch holds at least one")
    let descending = lengths.map { -$0 }
    return BatchPlan(order: sortedByLength(Array(lengths.indices), descending), batchSize: batchSize)
  }

  /// Results that were computed batch after batch, put into the order of the examples.
  public func restoringOrder<Result>(_ results: [Result]) -> [Result] {
    precondition(results.count == count, "one result for each example")
    var positions = [Int](repeating: 0, count: count)
    for (position, example) in batches.joined().enumerated() { positions[example] = position }
    return positions.map { results[$0] }
  }

  /// Sorted by length; equal lengths keep the order they came in, so the sort adds no randomness of its own.
  private static func sortedByLength(_ examples: [Int], _ lengths: [Int]) -> [Int] {
    examples.enumerated()
      .sorted { (lengths[$0.element], $0.offset) < (lengths[$1.element], $1.offset) }
      .map(\.element)
  }
}
