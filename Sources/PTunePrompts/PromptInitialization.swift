import PTune

/// What a trained prompt starts as. A hard prompt is a prompt of tokens: the soft one starts as what the frozen model
/// makes of it.
public enum PromptInitialization: String, HyperparameterChoice {
  /// Normally distributed numbers.
  case random
  /// Tokens drawn from the most frequent of the training data (Lester et al. 2021, section 3.2).
  case sampledVocabulary = "sampled-vocabulary"
  /// The tokens of a text.
  case text
  /// The labels of the tasks (Lester et al. 2021, section 3.2).
  case classLabels = "class-labels"

  /// What a prompt at layers may start as: a label's mean embedding has no keys and values.
  public static let layered: [PromptInitialization] = [.random, .sampledVocabulary, .text]
}

extension Parameter.Initial {
  /// How rows among the word embeddings start, `[count, hidden]`.
  ///
  /// - Parameters:
  ///   - initialization: what they start as.
  ///   - count: how many rows.
  ///   - text: with `text`, the text; cut or repeated to `count` tokens.
  ///   - deviation: with `random`, the standard deviation.
  /// - Throws: `ComponentFailure` if there is no text, no label or no vocabulary to start from.
  public static func inputRows(
    _ initialization: PromptInitialization, count: Int, text: String = "", deviation: Double
  ) throws -> Parameter.Initial {
    switch initialization {
    case .random: .normal(deviation: Float(deviation))
    case .sampledVocabulary: .values(try Base.wordRows(try HardPrompt.sampled(count)))
    case .text: .values(try Base.wordRows(try HardPrompt.text(text, count)))
    case .classLabels: .values(try labelRows(count))
    }
  }

  /// A row for each label of the tasks, the mean of its tokens' embeddings, as many as there is room for; the rest as
  /// sampled from the vocabulary (Lester et al. 2021, section 3.2).
  private static func labelRows(_ count: Int) throws -> [Float] {
    let labels = Tasks.names.indices.flatMap { Tasks.labels(of: $0) }
    guard !labels.isEmpty else {
      throw ComponentFailure.unsupported(
        "no task of this run has labels to start from; use another 'initialization'")
    }
    let hidden = Base.facts.hiddenSize
    var rows: [Float] = []
    for label in labels.prefix(count) {
      let tokens = Base.tokenize(label)
      guard !tokens.isEmpty else {
        throw ComponentFailure.badArgument("the label '\(label)' has no tokens to start from")
      }
      let embeddings = try Base.wordRows(tokens)
      rows += (0..<hidden).map { column in
        stride(from: column, to: embeddings.count, by: hidden).reduce(0) { $0 + embeddings[$1] }
          / Float(tokens.count)
      }
    }
    let rest = count - rows.count / hidden
    return rest == 0 ? rows : rows + (try Base.wordRows(try HardPrompt.sampled(rest)))
  }
}
