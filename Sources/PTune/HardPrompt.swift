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

  /// Those that are tokens: what a prompt at layers may start as.
  public static let layered: [PromptInitialization] = [.random, .sampledVocabulary, .text]
}

/// Tokens that a prompt starts from.
public enum HardPrompt {
  /// Tokens drawn from the most frequent of the training data (Lester et al. 2021, section 3.2).
  ///
  /// - Parameters:
  ///   - count: how many; tokens repeat only if there are fewer.
  ///   - frequent: from how many of the most frequent tokens to draw; the paper takes 5,000.
  /// - Throws: ``ComponentFailure`` if there are none.
  public static func sampled(_ count: Int, frequent: Int = 5000) throws -> [Int32] {
    var tokens = Base.frequentTokens(limit: frequent)
    guard !tokens.isEmpty else {
      throw ComponentFailure("the base model's vocabulary has no token to sample")
    }
    // A partial Fisher-Yates shuffle: the first places hold a sample without repetition.
    for place in 0..<min(count, tokens.count - 1) {
      tokens.swapAt(place, place + Int(Host.random() % UInt64(tokens.count - place)))
    }
    return (0..<count).map { tokens[$0 % tokens.count] }
  }

  /// A text's tokens, cut or repeated to `count`.
  ///
  /// - Throws: ``ComponentFailure`` if it has none.
  public static func text(_ text: String, _ count: Int) throws -> [Int32] {
    let tokens = Base.tokenize(text)
    guard !tokens.isEmpty else {
      throw ComponentFailure.badArgument("the initial text '\(text)' has no tokens; give it some words")
    }
    return (0..<count).map { tokens[$0 % tokens.count] }
  }
}

extension Parameter.Initial {
  /// How rows among the word embeddings start, `[count, hidden]`.
  ///
  /// - Parameters:
  ///   - text: with `text`, the text; cut or repeated to `count` tokens.
  ///   - deviation: with `random`, the standard deviation.
  /// - Throws: ``ComponentFailure`` if there is no text, or no label, to start from.
  public static func inputRows(
    _ initialization: PromptInitialization, count: Int, text: String = "", deviation: Double
  ) throws -> Parameter.Initial {
    switch initialization {
    case .random: .normal(deviation: Float(deviation))
    case .sampledVocabulary: try .sampledVocabulary(count)
    case .text: .values(try Base.wordRows(try HardPrompt.text(text, count)))
    case .classLabels: .values(try labelRows(count))
    }
  }

  /// Word embeddings of tokens as ``HardPrompt/sampled(_:frequent:)`` draws them: `[count, hidden]`.
  ///
  /// - Throws: ``ComponentFailure`` if there are none.
  public static func sampledVocabulary(_ count: Int) throws -> Parameter.Initial {
    .values(try Base.wordRows(try HardPrompt.sampled(count)))
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
