import PTuneLibc

/// Probabilities from the raw scores of a head.
public enum Probabilities {
  /// softmax of a row of scores: `[labels] -> [labels]`, which sum to 1.
  public static func softmax(_ scores: some Collection<Float>) -> [Double] {
    let top = Double(scores.max() ?? 0)
    let powers = scores.map { exp(Double($0) - top) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// 1 / (1 + e⁻ˣ) of a score, for labels that are independent of each other.
  public static func sigmoid(_ score: Float) -> Double { 1 / (1 + exp(-Double(score))) }
}
