import PTuneEngine
import PTuneText

/// How close generated texts come to what they might have been.
public struct GenerationMetrics {
  private var bleu = BLEU()
  private var (rouge, exact) = (0.0, 0)
  /// How many texts were added.
  public private(set) var count = 0

  /// Of no texts yet.
  public init() {}

  /// Adds a text and its references.
  public mutating func add(_ text: String, references: [String]) {
    bleu.add(text, references: references)
    rouge += ROUGE.l(text, references: references)
    let own = TextEnds.trimmed(text)
    if references.contains(where: { TextEnds.trimmed($0) == own }) { exact += 1 }
    count += 1
  }

  /// `bleu` (0 to 100), `rouge_l` and `exact_match` (0 to 1).
  public var metrics: [EvaluationRecord.Metric] {
    let number = Double(max(1, count))
    return [
      .init(name: "bleu", value: bleu.score, higherIsBetter: true),
      .init(name: "rouge_l", value: rouge / number, higherIsBetter: true),
      .init(name: "exact_match", value: Double(exact) / number, higherIsBetter: true),
    ]
  }
}

/// Texts without white space at their ends, to be compared byte by byte.
private enum TextEnds {
  static func trimmed(_ text: String) -> [Unicode.Scalar] {
    var scalars = Array(text.unicodeScalars)[...]
    scalars = scalars.drop { $0.properties.isWhitespace }
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    return Array(scalars)
  }
}
