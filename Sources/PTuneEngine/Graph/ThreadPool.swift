import CPTuneKernels

/// Runs short sections of work on a fixed number of threads, the caller's among them.
///
/// How work is split depends only on its size and the number of threads, so results are the same bits every time, whichever
/// thread takes a piece.
public final class ThreadPool {
  /// Number of threads.
  public let count: Int
  private let pool: OpaquePointer?
  /// Elementary operations that take some microseconds.
  private static let leastWork = 16_384

  /// A pool of `count` threads; fewer if the system refuses to start them.
  public init(count: Int) {
    pool = count > 1 ? ptk_pool_create(count) : nil
    self.count = pool == nil ? 1 : count
  }

  deinit { ptk_pool_destroy(pool) }

  /// Pieces that each thread's part is cut into, for others to take over if it is held up.
  private static let piecesEach = 4

  /// Calls `body` with consecutive pieces of `0..<count`, on all threads; in one piece if `work`, a count of elementary
  /// operations, is too small to be worth waking a thread for.
  ///
  /// - Parameters:
  ///   - grain: pieces are multiples of it, but for the last.
  ///   - piece: about the least count of a piece where a thread gets several.
  func split(_ count: Int, work: Int, grain: Int = 1, piece: Int = 1, _ body: (Range<Int>) -> Void) {
    guard let pool, work >= Self.leastWork, count > grain else {
      if count > 0 { body(0..<count) }
      return
    }
    let each = min(
      Self.piecesEach, work / Self.leastWork / self.count, count / max(piece, grain) / self.count)
    let parts = self.count * max(1, each)
    let grains = (count + grain - 1) / grain
    withoutActuallyEscaping(body) { body in
      var section = Section { index in
        let lower = min(count, grains * index / parts * grain)
        let upper = min(count, grains * (index + 1) / parts * grain)
        if lower < upper { body(lower..<upper) }
      }
      withUnsafeMutablePointer(to: &section) { pointer in
        ptk_pool_run(
          pool, parts,
          { context, index in context?.assumingMemoryBound(to: Section.self).pointee.run(index) },
          pointer)
      }
    }
  }

  private struct Section {
    let run: (Int) -> Void
  }
}
