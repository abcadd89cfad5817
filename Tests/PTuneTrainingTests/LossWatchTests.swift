import Testing

@testable import PTuneTraining

@Suite struct LossWatchTests {
  private func findings(_ losses: [Double], steps: Int? = nil, isFresh: Bool = true) -> [LossWatch.Finding] {
    var watch = LossWatch(steps: steps ?? losses.count, isFresh: isFresh)
    return losses.enumerated().compactMap { watch.add($1, step: $0 + 1) }
  }

  @Test("a loss that stands still is told once, in a short training at its end")
  func still() {
    // Batches differ, their mean does not.
    let losses = (0..<200).map { step -> Double in step % 2 == 0 ? 0.8 : 0.6 }
    guard case .still(100, let from, let to)? = findings(losses).first else {
      Issue.record("nothing was found")
      return
    }
    #expect(abs(from - 0.7) < 1e-9 && abs(to - 0.7) < 1e-9)
    #expect(findings(losses).count == 1)
    #expect(findings(Array(losses.prefix(60))).count == 1)
    #expect(findings(Array(losses.prefix(30))).isEmpty)
    #expect(findings(losses, isFresh: false).isEmpty)
  }

  @Test("a loss that falls, in whatever noise, is nothing to tell")
  func falling() {
    let noise = [0.2, -0.1, -0.1]
    let noisy = (0..<300).map { step -> Double in 0.7 - 0.001 * Double(step) + noise[step % 3] }
    #expect(findings(noisy).isEmpty)
    let levelling = (0..<300).map { step -> Double in max(0.45, 0.7 - 0.002 * Double(step)) }
    #expect(findings(levelling).isEmpty)
  }

  @Test("in a short training a loss that explodes is told, and noise is not")
  func short() {
    guard case .growing? = findings([0.7, 0.8, 0.7, 4, 19, 31]).first else {
      Issue.record("nothing was found")
      return
    }
    #expect(findings([0.7, 0.9, 0.4, 1.1, 0.3, 0.8]).isEmpty)
  }

  @Test("a loss that grows far beyond its best is told with both")
  func growing() {
    let rising = (0..<60).map { step -> Double in 0.4 + 0.1 * Double(step) }
    let losses = Array(repeating: 0.7, count: 60) + rising
    guard case .growing(_, let least, let now)? = findings(losses).last else {
      Issue.record("nothing was found")
      return
    }
    #expect(now > 2 * least)
    #expect(findings(losses, isFresh: false).count == 1)
  }
}
