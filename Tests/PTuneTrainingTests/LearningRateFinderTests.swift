import Foundation
import TestSupport
import Testing

@testable import PTuneTraining

@Suite struct LearningRateFinderTests {
  private typealias Point = LearningRateFinder.Point

  /// A curve that is level up to 1e-3, falls up to 1e-1 and rises beyond.
  private static let curve = (0..<120).map { step -> Point in
    let x = -5 + 6 * Double(step) / 119
    let depth = min(1, max(0, (x + 3) / 2))
    let y = 0.7 - 0.4 * depth * depth + max(0, x + 1)
    return Point(rate: pow(10, x), loss: y, smoothed: y)
  }

  @Test("the suggestion is where the smoothed loss falls most steeply, not where it is least")
  func suggestion() throws {
    let findings = LearningRateFinder.findings(Self.curve, present: 0.001)
    let least = try #require(findings.least)
    #expect(abs(log10(least.rate) + 1) < 0.06)
    let suggestion = try #require(findings.suggestion)
    #expect(suggestion == 0.05)
    #expect(!findings.isNear)
    #expect(LearningRateFinder.findings(Self.curve, present: 0.03).isNear)
  }

  @Test("there is no suggestion where the loss does not fall")
  func level() {
    let level = Self.curve.map { Point(rate: $0.rate, loss: 0.7, smoothed: 0.7) }
    #expect(LearningRateFinder.findings(level, present: 0.01).suggestion == nil)
    #expect(LearningRateFinder.findings([], present: 0.01).suggestion == nil)
  }

  @Test(
    "suggestions are 1, 2, 3 or 5 times a power of ten",
    arguments: [
      (0.031, 0.03), (0.0009, 0.001), (8e-5, 1e-4), (1.6, 2), (0.26, 0.3),
    ])
  func rounding(rate: Double, rounded: Double) { #expect(LearningRateFinder.rounded(rate) == rounded) }
}

@Suite struct LearningRateTests {
  @Test("the test leaves the run as it was: a training after it is the same as one without")
  func restores() throws {
    let tiny = try TinyRun()
    let settings = ["selector.plugin=top-k", "selector.k=2", "selector.frequency_penalty=true"]
    let spec = try tiny.spec(
      adapter: "{plugin: prompt-pool, pool_size: 4, virtual_tokens: 2, pull: 0.1, dropout: 0.1}", settings)
    let expected = try tiny.train(spec).losses
    let run = try TrainingRun(spec, registry: Workbench.factory().registry) { _, _ in }
    let findings = try LearningRateFinder(run, rates: 1e-3...1, steps: 12).find { _ in true }
    #expect(findings.points.count == 12)
    #expect(abs(findings.points[11].rate - 1) < 1e-9)
    var losses: [Double] = []
    let trainer = Trainer(run) { if case .step(let step) = $0 { losses.append(step.loss) } }
    _ = try trainer.train(resume: false) { false }
    #expect(losses == expected)
  }
}
