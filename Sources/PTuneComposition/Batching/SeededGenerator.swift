import PTune

/// A seeded random number generator that gives the same numbers on every platform and in every release:
/// xoshiro256** seeded by SplitMix64.
///
/// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators",
/// https://doi.org/10.1145/3460772. Drawing from a range and shuffling are written out here rather than taken from
/// the standard library, whose algorithms may change between versions.
///
/// It is for shuffles, which need many independent streams of one seed. `SplitMix64` serves where the whole state has
/// to be one number, as a training checkpoint holds it.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: (UInt64, UInt64, UInt64, UInt64)

  /// A generator whose numbers depend on `seed` alone.
  public init(seed: UInt64) {
    var mixer = SplitMix64(seed: seed)
    state = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
  }

  /// A generator for one stream (an epoch, say) among many that share a seed.
  public init(seed: UInt64, stream: UInt64) {
    var mixer = SplitMix64(seed: seed)
    self.init(seed: mixer.next() ^ stream &* 0x9E37_79B9_7F4A_7C15)
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let result = rotated(state.1 &* 5, by: 7) &* 9
    let shifted = state.1 << 17
    state.2 ^= state.0
    state.3 ^= state.1
    state.1 ^= state.2
    state.0 ^= state.3
    state.2 ^= shifted
    state.3 = rotated(state.3, by: 45)
    return result
  }

  /// A number in `0..<bound`, every one equally likely (Lemire's multiplication with rejection).
  public mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "an index is drawn from at least one")
    let bound = UInt64(bound)
    var product = next().multipliedFullWidth(by: bound)
    if product.low < bound {
      let threshold = (0 &- bound) % bound
      while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
    }
    return Int(product.high)
  }

  /// A number in `0..<1`, a multiple of 2⁻⁵³.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Puts `elements` into random order (Fisher-Yates).
  public mutating func shuffle<Element>(_ elements: inout [Element]) {
    for last in stride(from: elements.count - 1, to: 0, by: -1) {
      elements.swapAt(last, index(below: last + 1))
    }
  }
}

private func rotated(_ value: UInt64, by count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
