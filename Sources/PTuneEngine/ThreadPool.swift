import CPTuneKernels

/// Runs short sections of work on a fixed number of threads, the caller's among them.
///
/// How work is split depends only on its size and the number of threads, so results are the same bits every time.
public final class ThreadPool {
  /// Number of threads.
  public let count: Int
  private let pool: OpaquePointer?

  /// A pool of `count` threads; fewer if the system refuses to start them.
  public init(count: Int) {
    pool = count > 1 ? ptk_pool_create(count) : nil
    self.count = pool == nil ? 1 : count
  }

  deinit { ptk_pool_destroy(pool) }

  /// Calls `body` with consecutive parts of `0..<count`, one per thread; in one piece if `work`, a count of
  /// elementary operations, is too small to be worth waking a thread for.
  func split(_ count: Int, work: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
    guard let pool, work >= 16_384, count > grain else {
      if count > 0 { body(0..<count) }
      return
    }
    let parts = self.count
    let grains = (count + grain - 1) / grain
    withoutActuallyEscaping(body) { body in
      var section = Section { index in
        let lower = min(count, grains * index / parts * grain)
        let upper = min(count, grains * (index + 1) / parts * grain)
        if lower < upper { body(lower..<upper) }
      }
      withUnsafeMutablePointer(to: &section) { pointer in
        ptk_pool_run(
          pool, { context, index in context?.assumingMemoryBound(to: Section.self).pointee.run(index) },
          pointer)
      }
    }
  }

  private struct Section {
    let run: (Int) -> Void
  }
}
