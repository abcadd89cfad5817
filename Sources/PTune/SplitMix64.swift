import PTuneLibc

/// A small generator of random numbers with the same results on every platform (Steele, Lea & Flood 2014).
public struct SplitMix64: RandomNumberGenerator, Sendable, Equatable {
  /// The whole state: restoring it continues the sequence.
  public var state: UInt64

  /// A generator that starts from this seed.
  public init(seed: UInt64) { state = seed }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// A number in [0, 1).
  public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A normally distributed number with mean 0 and deviation 1 (Box & Muller 1958).
  public mutating func normal() -> Double {
    let radius = (-2 * log(1 - unit())).squareRoot()
    return radius * cos(2 * .pi * unit())
  }
}
