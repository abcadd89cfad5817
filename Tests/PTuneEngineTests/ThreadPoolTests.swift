import CPTuneKernels
import Foundation
import Testing

@testable import PTuneEngine

@Suite("The pool of threads") struct ThreadPoolTests {
  /// Which pieces were asked for, by whatever thread.
  private final class Pieces: @unchecked Sendable {
    // @unchecked: the lock guards it.
    private let lock = NSLock()
    private var taken: [Range<Int>] = []
    func add(_ piece: Range<Int>) { lock.withLock { taken.append(piece) } }
    var sorted: [Range<Int>] { lock.withLock { taken.sorted { $0.lowerBound < $1.lowerBound } } }
  }

  private func pieces(_ pool: ThreadPool, _ count: Int, work: Int, grain: Int, piece: Int) -> [Range<Int>] {
    let pieces = Pieces()
    pool.split(count, work: work, grain: grain, piece: piece) { pieces.add($0) }
    return pieces.sorted
  }

  @Test("every element is in one piece, and pieces begin at multiples of the grain", arguments: [1, 2, 3])
  func cover(threads: Int) {
    let pool = ThreadPool(count: threads)
    for count in [0, 1, 2, 7, 8, 9, 100, 1000] {
      for (work, grain, piece) in [(100, 1, 1), (1 << 30, 1, 1), (1 << 30, 8, 48), (40_000, 16, 1)] {
        let pieces = pieces(pool, count, work: work, grain: grain, piece: piece)
        #expect(pieces.flatMap { Array($0) } == Array(0..<count))
        #expect(pieces.allSatisfy { $0.lowerBound % grain == 0 })
      }
    }
  }

  @Test("the pieces are the same every time, and no smaller than they should be")
  func sizes() {
    let pool = ThreadPool(count: 2)
    let first = pieces(pool, 400, work: 1 << 30, grain: 8, piece: 48)
    #expect(first.count == 8)
    #expect(first.allSatisfy { $0.count >= 48 })
    for _ in 0..<20 { #expect(pieces(pool, 400, work: 1 << 30, grain: 8, piece: 48) == first) }
    #expect(pieces(pool, 400, work: 100, grain: 8, piece: 48) == [0..<400])
    #expect(pieces(pool, 60, work: 1 << 30, grain: 8, piece: 48).count == 2)
  }

  @Test("what a thread that is held up has not begun, others do")
  func heldUp() {
    let pool = ThreadPool(count: 2)
    let done = DispatchSemaphore(value: 0)
    pool.split(8, work: 1 << 30) { piece in
      guard piece.contains(0) else {
        done.signal()
        return
      }
      for _ in 1..<8 { #expect(done.wait(timeout: .now() + 30) == .success) }
    }
  }

  @Test("all threads of a section take subnormal numbers as zero, and the caller no longer than that")
  func subnormals() {
    let pool = ThreadPool(count: 2)
    let (first, second, flushed) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), Pieces())
    pool.split(2, work: 1 << 30) { piece in
      // Each waits for the other, so two threads take part.
      let (own, other) = piece.contains(0) ? (first, second) : (second, first)
      own.signal()
      #expect(other.wait(timeout: .now() + 30) == .success)
      if ptk_flushes_subnormals() { flushed.add(piece) }
    }
    #expect(flushed.sorted == [0..<1, 1..<2])
    #expect(!ptk_flushes_subnormals())
    #expect(Subnormals.flushed { ptk_flushes_subnormals() })
    #expect(!ptk_flushes_subnormals())
  }
}
