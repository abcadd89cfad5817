import Testing

/// SplitMix64 (Steele, Lea & Flood 2014): the same numbers on every run and machine.
struct Numbers {
  private var state: UInt64

  init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Uniform in [low, high).
  mutating func floats(_ count: Int, in low: Float = -1, _ high: Float = 1) -> [Float] {
    (0..<count).map { _ in low + (high - low) * Float(next() >> 40) / Float(1 << 24) }
  }
}

extension [Float] {
  var doubles: [Double] { map(Double.init) }
}

/// Every element within `tolerance`·(1 + |expected|).
func expectClose(
  _ actual: [Float], _ expected: [Double], tolerance: Double, _ what: Comment,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.count == expected.count, what, sourceLocation: sourceLocation)
  let wrong = zip(actual, expected).enumerated().first { _, pair in
    !(abs(Double(pair.0) - pair.1) <= tolerance * (1 + abs(pair.1)))
  }
  if let wrong {
    Issue.record(
      "\(what): element \(wrong.offset) is \(wrong.element.0), not \(wrong.element.1)",
      sourceLocation: sourceLocation)
  }
}

/// The gradient of a scalar function against central differences of it in a few random directions.
func expectGradient(
  _ gradient: [Float], at point: [Double], _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation,
  of function: ([Double]) -> Double
) {
  let step = 1e-5
  for seed in 1...3 {
    var numbers = Numbers(seed: seed)
    let direction = numbers.floats(point.count).doubles
    let ahead = function(zip(point, direction).map { $0 + step * $1 })
    let behind = function(zip(point, direction).map { $0 - step * $1 })
    let difference = (ahead - behind) / (2 * step)
    let terms = zip(gradient, direction).map { Double($0) * $1 }
    let size = terms.reduce(0) { $0 + $1 * $1 }.squareRoot()
    let slope = terms.reduce(0, +)
    #expect(
      abs(slope - difference) <= 2e-4 * size + 1e-5, "\(what): \(slope), not \(difference)",
      sourceLocation: sourceLocation)
  }
}
