import PTune
import PTuneEngine
import Testing

/// Generation with kept keys and values against passes that keep nothing.
package enum StepwiseGeneration {
  /// Gives an adapter parameters that matter.
  package static func randomise(_ model: Model) {
    var random = SplitMix64(seed: 5)
    for parameter in model.parameters {
      for index in 0..<parameter.count { parameter.values[index] = Float(random.normal()) }
    }
  }

  /// Each step of some texts with a pass over the whole text.
  package static func compare(_ model: Model) throws {
    let decoding = try Decoding(model)
    var tokens: [[Int32]] = [[9, 40, 3, 77], [5], [120, 8]]
    var (texts, scores) = try decoding.begin(tokens.map { .init(tokens: $0) })
    for step in 0..<5 {
      for (tokens, scores) in zip(tokens, scores) {
        let whole = try model.vocabularyScores(PackedBatch([.init(tokens: tokens)], training: false))
        #expect(absoluteDifference(scores, Array(whole.suffix(scores.count))) < 1e-5)
      }
      for index in tokens.indices { tokens[index].append(Int32(10 * step + index + 1)) }
      scores = try decoding.extend(zip(texts, tokens).map { ($0, $1[$1.count - 1]) })
    }
    texts = []
  }
}
