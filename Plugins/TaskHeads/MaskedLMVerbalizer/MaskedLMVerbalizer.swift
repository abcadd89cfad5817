import PTune
import PTuneClassification

/// A cloze (Schick & Schütze 2021, section 3): the base model's own scores of the vocabulary at the template's mask,
/// and of these the words that stand for each label:
///
///     s(l|x) = mean over the words w of l of M(w|x),   q(l|x) = softmax over the labels of s(l|x)
///
/// M are the masked language model's scores before any softmax. To take its log-probabilities instead, over the
/// vocabulary or over all words, as OpenPrompt does, shifts all s(l|x) of a text alike: q stays the same, so there
/// is no choice to make.
final class MaskedLMVerbalizer: TaskHead {
  static let scoreRows = ScoreRows.perSequence
  private let labels: Labels
  private let verbalizer: Verbalizer
  private let mask: Int32
  /// [labels]; nil where all count the same.
  private let classWeights: [Float]?
  private let labelSmoothing: Double

  init(
    labels: [String], words: [String], pieces: Verbalizer.Pieces, classWeights: [String],
    labelSmoothing: Double
  ) throws {
    self.labels = try Labels(labels, head: "masked-lm-verbalizer")
    verbalizer = try Verbalizer(words, labels: self.labels, pieces: pieces)
    guard let mask = Base.id(of: .mask) else {
      throw ComponentFailure.unsupported("the base model's tokenizer has no mask token")
    }
    self.mask = mask
    self.classWeights = try self.labels.classWeights(classWeights)
    self.labelSmoothing = labelSmoothing
  }

  func encode(_ example: Example, into targets: Targets) throws {
    try labels.encode(example, into: targets)
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    verbalizer(Base.vocabularyScores(hidden.rows(at: try maskRows(batch))))
  }

  /// The hidden row of each sequence's mask, `[count]`.
  private func maskRows(_ batch: Batch) throws -> [Int32] {
    let (tokens, offsets, text) = (batch.tokens, batch.offsets, try batch.textRows())
    let masks = tokens.indices.filter { tokens[$0] == mask }
    let isOneEach =
      masks.count == batch.count
      && masks.indices.allSatisfy { (offsets[$0]..<offsets[$0 + 1]).contains(Int32(masks[$0])) }
    guard isOneEach else {
      throw ComponentFailure.badArgument(
        "each text needs exactly one mask token; its template has to have {mask} once")
    }
    return masks.map { text[$0] }
  }

  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    scores.crossEntropy(batch.integerTargets, classWeights: classWeights, smoothing: labelSmoothing)
  }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    try labels.predict(scores, into: prediction)
  }

  func measure(_ evaluation: Evaluation) throws { try labels.measure(evaluation) }
}
