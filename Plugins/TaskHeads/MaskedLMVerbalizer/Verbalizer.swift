import PTune
import PTuneClassification

/// The words that stand for each label, as the pieces that the vocabulary has of them.
struct Verbalizer {
  /// Which pieces of a word count.
  enum Pieces: String, HyperparameterChoice { case mean, first }

  /// The pieces of all words, end to end, and where each word begins: `[words + 1]`.
  private var pieces: [Int32] = []
  private var wordOffsets: [Int32] = [0]
  /// Where each label's words begin: `[labels + 1]`.
  private var labelOffsets: [Int32] = [0]

  /// Reads texts `label=word,word`.
  ///
  /// - Throws: `ComponentFailure` for a text that says something else, a label without words, or a word that the
  ///   vocabulary cannot spell.
  init(_ texts: [String], labels: Labels, pieces counted: Pieces) throws {
    var words: [Int: [String]] = [:]
    for text in texts {
      let (label, list) = Labels.assignment(text) ?? ("", "")
      let given = list.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
      guard !label.isEmpty, !given.contains("") else {
        throw ComponentFailure.badArgument("words: '\(text)' is not label=word or label=word,word")
      }
      guard let index = labels.index(of: label) else {
        throw ComponentFailure.badArgument(
          "words: '\(short(label))' is not one of \(listed(labels.names))")
      }
      guard words.updateValue(given, forKey: index) == nil else {
        throw ComponentFailure.badArgument("words: '\(label)' occurs twice; put its words in one text")
      }
    }
    for (index, label) in labels.names.enumerated() {
      guard let own = words[index] else {
        throw ComponentFailure.badArgument("words: there are none for the label '\(label)'")
      }
      for word in own { try append(word, counted) }
      labelOffsets.append(Int32(wordOffsets.count - 1))
    }
  }

  private mutating func append(_ word: String, _ counted: Pieces) throws {
    let ids = try Base.tokenize(atMask: word)
    if let unknown = Base.id(of: .unknown), ids.contains(unknown) {
      throw ComponentFailure.badArgument("words: the model's vocabulary cannot spell '\(word)'")
    }
    pieces += counted == .first ? ids.prefix(1) : ids[...]
    wordOffsets.append(Int32(pieces.count))
  }

  /// A label's score is the mean over its words, and a word's the mean over its pieces:
  /// `[rows, vocabulary] -> [rows, labels]`.
  func callAsFunction(_ scores: Tensor) -> Tensor {
    let words = scores.transposed().meanRows(at: pieces, offsets: wordOffsets)
    let all = Array(0..<Int32(wordOffsets.count - 1))
    return words.meanRows(at: all, offsets: labelOffsets).transposed()
  }
}

private func trimmed(_ text: Substring) -> String {
  String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
}
