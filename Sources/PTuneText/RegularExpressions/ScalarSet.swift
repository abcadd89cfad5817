/// A set of Unicode scalars as sorted runs that neither overlap nor touch.
struct ScalarSet: Equatable, Sendable {
  /// The first and the last scalar of each run.
  private(set) var runs: [ClosedRange<UInt32>]
  /// One bit for each of the first 128 scalars, so that ASCII needs no search.
  private var ascii: (UInt64, UInt64)

  /// The largest scalar there is.
  private static let last: UInt32 = 0x10FFFF

  /// Every scalar.
  static let all = ScalarSet([0...last])

  /// A set of runs in any order.
  init(_ unordered: [ClosedRange<UInt32>]) {
    runs = []
    for run in unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let previous = runs.last, run.lowerBound <= previous.upperBound &+ 1 {
        runs[runs.count - 1] = previous.lowerBound...Swift.max(previous.upperBound, run.upperBound)
      } else {
        runs.append(run)
      }
    }
    ascii = (0, 0)
    for run in runs {
      for scalar in run where scalar < 128 {
        if scalar < 64 { ascii.0 |= 1 << UInt64(scalar) } else { ascii.1 |= 1 << UInt64(scalar - 64) }
      }
      if run.upperBound >= 128 { break }
    }
  }

  /// A set of single scalars.
  init(scalars: some Sequence<UInt32>) { self.init(scalars.map { $0...$0 }) }

  /// A set of runs given as first, last, first, last, ….
  init(table: [UInt32]) {
    self.init(stride(from: 0, to: table.count, by: 2).map { table[$0]...table[$0 + 1] })
  }

  static func == (left: ScalarSet, right: ScalarSet) -> Bool { left.runs == right.runs }

  /// Whether a scalar is in the set.
  ///
  /// Complexity: O(1) for ASCII, else O(log *runs*).
  @inline(__always)
  func contains(_ scalar: UInt32) -> Bool {
    if scalar < 64 { return ascii.0 >> UInt64(scalar) & 1 == 1 }
    if scalar < 128 { return ascii.1 >> UInt64(scalar - 64) & 1 == 1 }
    return search(scalar)
  }

  private func search(_ scalar: UInt32) -> Bool {
    var (low, high) = (0, runs.count)
    while low < high {
      let middle = (low + high) / 2
      if runs[middle].upperBound < scalar { low = middle + 1 } else { high = middle }
    }
    return low < runs.count && runs[low].lowerBound <= scalar
  }

  /// Whether the set is empty.
  var isEmpty: Bool { runs.isEmpty }

  /// All scalars of both sets.
  func union(_ other: ScalarSet) -> ScalarSet { ScalarSet(runs + other.runs) }

  /// The scalars that both sets have.
  func intersection(_ other: ScalarSet) -> ScalarSet {
    inverted.union(other.inverted).inverted
  }

  /// The scalars that are not in this set.
  var inverted: ScalarSet {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for run in runs {
      if next < run.lowerBound { result.append(next...run.lowerBound - 1) }
      next = run.upperBound + 1
    }
    if next <= Self.last { result.append(next...Self.last) }
    return ScalarSet(result)
  }
}
