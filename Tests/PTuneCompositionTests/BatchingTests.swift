@testable import PTuneComposition
import Testing

@Suite("Batching")
struct BatchingTests {
  @Test("the generator gives the numbers of xoshiro256** seeded by SplitMix64")
  func generatorNumbers() {
    var zero = SeededGenerator(seed: 0)
    #expect(
      (0..<4).map { _ in zero.next() } == [
        0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0, 0x6AA5_94F1_262D_2D2C,
      ])
    var other = SeededGenerator(seed: 42)
    #expect(
      (0..<4).map { _ in other.next() } == [
        0x1578_0B2E_0C2E_C716, 0x6104_D986_6D11_3A7E, 0xAE17_5332_39E4_99A1, 0xECB8_AD47_03B3_60A1,
      ])
    var shuffled = Array(0..<10)
    var third = SeededGenerator(seed: 42)
    third.shuffle(&shuffled)
    #expect(shuffled == [9, 1, 4, 2, 8, 7, 6, 5, 3, 0])
  }

  @Test("streams of one seed differ, and draws stay within their bounds")
  func generatorDraws() {
    var first = SeededGenerator(seed: 1, stream: 0)
    var second = SeededGenerator(seed: 1, stream: 1)
    #expect(first.next() != second.next())
    var counts = [Int](repeating: 0, count: 6)
    for _ in 0..<6000 { counts[first.index(below: 6)] += 1 }
    #expect(counts.allSatisfy { (900...1100).contains($0) })
    for _ in 0..<1000 { #expect((0..<1).contains(first.uniform())) }
    #expect(first.index(below: 1) == 0)
  }

  /// Lengths from 3 to 60, mostly short.
  private var lengths: [Int] {
    var generator = SeededGenerator(seed: 7)
    return (0..<1003).map { _ in 3 + generator.index(below: 1 + generator.index(below: 58)) }
  }

  @Test("an epoch has every example once, in full batches but one")
  func everyExampleOnce() {
    for epoch in 0..<3 {
      let plan = BatchPlan.shuffled(lengths: lengths, batchSize: 16, seed: 5, epoch: epoch, windowBatches: 10)
      #expect(plan.batches.joined().sorted() == Array(0..<1003))
      #expect(plan.batches.filter { $0.count != 16 }.map(\.count) == [1003 % 16])
      #expect(plan.count == 1003 && plan.batches.count == 63)
    }
  }

  @Test("the order depends on seed and epoch alone")
  func determinism() {
    let plan = { (seed: UInt64, epoch: Int) in
      BatchPlan.shuffled(lengths: lengths, batchSize: 16, seed: seed, epoch: epoch)
    }
    #expect(plan(5, 0) == plan(5, 0))
    #expect(plan(5, 0) != plan(5, 1))
    #expect(plan(5, 0) != plan(6, 0))
    let small = BatchPlan.shuffled(
      lengths: [5, 1, 9, 4, 4, 8, 2, 7], batchSize: 2, seed: 42, epoch: 3, windowBatches: 2)
    #expect(small.batches == [[4, 0], [1, 6], [7, 5], [3, 2]])
  }

  @Test("lengths within a batch are similar, and batches come in no order of length")
  func similarLengths() {
    let lengths = lengths
    let plan = BatchPlan.shuffled(lengths: lengths, batchSize: 16, seed: 5, epoch: 0)
    let spread = { (batches: [[Int]]) in
      batches.reduce(0) { sum, batch in
        let sizes = batch.map { lengths[$0] }
        return sum + (sizes.max() ?? 0) - (sizes.min() ?? 0)
      }
    }
    let plain = BatchPlan.sequential(count: lengths.count, batchSize: 16)
    #expect(spread(plan.batches) * 8 < spread(plain.batches))
    let first = plan.batches.map { lengths[$0[0]] }
    #expect(first != first.sorted() && first != first.sorted(by: >))
  }

  @Test("plans for evaluation keep or restore the order")
  func evaluation() {
    #expect(BatchPlan.sequential(count: 5, batchSize: 2).batches == [[0, 1], [2, 3], [4]])
    let plan = BatchPlan.sortedByLength(lengths: [3, 9, 3, 7, 9], batchSize: 2)
    #expect(plan.batches == [[1, 4], [3, 0], [2]])
    let results = plan.batches.joined().map { "result \($0)" }
    #expect(plan.restoringOrder(results) == (0..<5).map { "result \($0)" })
  }

  @Test("no examples make no batches")
  func empty() {
    #expect(BatchPlan.sequential(count: 0, batchSize: 4).batches.isEmpty)
    #expect(BatchPlan.shuffled(lengths: [], batchSize: 4, seed: 0, epoch: 0).batches.isEmpty)
    #expect(BatchPlan.sortedByLength(lengths: [], batchSize: 4).batches.isEmpty)
  }
}
