import PTune
import PTuneLibc

/// How the next token is chosen.
public struct SamplingOptions: Equatable, Sendable {
  /// What scores are divided by; 0 takes the most probable token.
  public var temperature = 0.0
  /// Only the k most probable tokens, and those as probable as the last of them; 0 for all.
  public var topK = 0
  /// Only the fewest tokens that together have this probability (Holtzman et al. 2020, section 3.1).
  public var topP = 1.0
  /// Only tokens with at least this share of the most probable one's probability (Nguyen et al. 2024).
  public var minP = 0.0
  /// What the scores of tokens that the text has already are divided by, where positive, or multiplied by (Keskar et
  /// al. 2019, section 4.1).
  public var repetitionPenalty = 1.0
  /// Where random numbers start; each text has its own.
  public var seed: UInt64 = 0

  /// The most probable token each time.
  public init() {}
}

/// Chooses the tokens of one text: what transformers' logits processors define, applied in its order (repetition
/// penalty, temperature, top-k, top-p, min-p), and then a draw.
struct TokenSampler {
  private let options: SamplingOptions
  private var generator: SplitMix64
  /// The tokens that the text has.
  private var seen: Set<Int32>

  /// - Parameters:
  ///   - text: the number of the text, which with the seed decides on its random numbers: not what else is in the batch.
  ///   - tokens: those that the text begins with.
  init(_ options: SamplingOptions, text: Int, tokens: [Int32]) {
    self.options = options
    var numbers = SplitMix64(seed: options.seed)
    generator = SplitMix64(seed: numbers.next() ^ SplitMix64.mixed(UInt64(text)))
    seen = options.repetitionPenalty == 1 ? [] : Set(tokens)
  }

  /// The next token; nil if the scores are not numbers.
  mutating func next(_ scores: [Float]) -> Int32? {
    let kept = candidates(scores)
    guard let token = options.temperature == 0 ? best(kept) : draw(kept) else { return nil }
    if options.repetitionPenalty != 1 { seen.insert(token) }
    return token
  }

  typealias Candidate = (token: Int32, score: Double)

  /// The tokens that may come next, with their scores, in the order of their ids.
  func candidates(_ scores: [Float]) -> [Candidate] {
    var kept: [Candidate] = scores.indices.map { (Int32($0), Double(scores[$0])) }
    for token in seen where kept.indices.contains(Int(token)) {
      let score = kept[Int(token)].score
      kept[Int(token)].score =
        score < 0 ? score * options.repetitionPenalty : score / options.repetitionPenalty
    }
    guard options.temperature > 0 else { return kept }
    for index in kept.indices { kept[index].score /= options.temperature }
    keepTopK(&kept)
    keepTopP(&kept)
    keepMinP(&kept)
    return kept
  }

  /// exp(score - highest score) of each candidate: its probability times a common factor.
  static func weights(_ kept: [Candidate]) -> [Double] {
    let top = kept.lazy.map(\.score).max() ?? 0
    return kept.map { exp($0.score - top) }
  }

  private func keepTopK(_ kept: inout [Candidate]) {
    guard options.topK > 0, options.topK < kept.count else { return }
    let least = kept.map(\.score).kthLargest(options.topK)
    kept.removeAll { $0.score < least }
  }

  /// Of the tokens in the order of their probability those are dropped that with all less probable ones reach no more
  /// than 1 - p; of equals the one with the smaller id is the less probable. The most probable one stays.
  private func keepTopP(_ kept: inout [Candidate]) {
    guard options.topP < 1 else { return }
    let weights = Self.weights(kept)
    let limit = (1 - options.topP) * weights.reduce(0, +)
    // All below an equal share of what is dropped are dropped: only the others have to be sorted.
    let small = limit / Double(kept.count)
    var sum = weights.reduce(0) { $1 < small ? $0 + $1 : $0 }
    var order = kept.indices.filter { weights[$0] >= small }
    order.sort { (weights[$0], $0) < (weights[$1], $1) }
    var first = 0
    while first < order.count - 1 {
      sum += weights[order[first]]
      if sum > limit { break }
      first += 1
    }
    kept = order[first...].sorted().map { kept[$0] }
  }

  private func keepMinP(_ kept: inout [Candidate]) {
    guard options.minP > 0 else { return }
    let weights = Self.weights(kept)
    kept = kept.indices.filter { weights[$0] >= options.minP }.map { kept[$0] }
  }

  /// The most probable one; of equals the one with the smallest id.
  private func best(_ kept: [Candidate]) -> Int32? {
    guard var best = kept.first else { return nil }
    for candidate in kept where candidate.score > best.score { best = candidate }
    return best.score.isFinite ? best.token : nil
  }

  private mutating func draw(_ kept: [Candidate]) -> Int32? {
    let weights = Self.weights(kept)
    let total = weights.reduce(0, +)
    guard total.isFinite, total > 0 else { return nil }
    var rest = generator.unit() * total
    for (candidate, weight) in zip(kept, weights) {
      rest -= weight
      if rest < 0 { return candidate.token }
    }
    // Rounding may leave a little.
    return kept.indices.last { weights[$0] > 0 }.map { kept[$0].token }
  }
}

extension SplitMix64 {
  /// A number that looks random, another for each.
  fileprivate static func mixed(_ number: UInt64) -> UInt64 {
    var generator = SplitMix64(seed: number)
    return generator.next()
  }
}

extension [Double] {
  /// The k-th largest value, 1 being the largest (Hoare 1961).
  fileprivate func kthLargest(_ k: Int) -> Double {
    var values = self
    var (low, high) = (0, values.count - 1)
    let wanted = values.count - k
    while low < high {
      let pivot = values[(low + high) / 2]
      var (i, j) = (low, high)
      while i <= j {
        while values[i] < pivot { i += 1 }
        while values[j] > pivot { j -= 1 }
        if i <= j {
          values.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      if wanted <= j { high = j } else if wanted >= i { low = i } else { break }
    }
    return values[wanted]
  }
}
