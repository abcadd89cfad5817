import CPTune
import PTune
import PTuneLibc

/// Language modelling: the row of each token scores the token after it, with the base model's own scores over its
/// vocabulary. The head trains nothing of its own.
final class CausalLM: TaskHead {
  static let scoreRows = ScoreRows.perToken
  static let reading = Reading.continuedText

  init() throws {
    guard Base.facts.causal else {
      throw ComponentFailure.unsupported(
        "causal-lm needs a causal base model; in an encoder, each token sees the one that it would have to predict"
      )
    }
  }

  /// Integers: the token after each token, -1 for those that do not count: before a completion, and the last one.
  func encode(_ example: Example, into targets: Targets) throws {
    try targets.emit(nextTokens(example))
  }

  private func nextTokens(_ example: Example) -> [Int32] {
    let tokens = example.tokens
    let isConversation = example.field("messages") != nil
    let isCompletion = example.field("text_pair") != nil
    // What follows the prompt is the completion, and then the token that ends it.
    let begin = isCompletion ? (tokens.lastIndex { $0.field == 0 } ?? -1) + 1 : 1
    return example.sequences.flatMap { sequence in
      sequence.map { index in
        let next = index + 1
        guard next < sequence.upperBound else { return -1 }
        // Of a conversation what the assistant says is text 1.
        let counts = isConversation ? tokens[next].field == 1 : next >= begin
        return counts ? tokens[next].id : -1
      }
    }
  }

  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    Base.vocabularyScores(hidden.rows(at: try batch.textRows()))
  }

  /// Mean over the tokens that count; the others' scores are never computed.
  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    let targets = batch.integerTargets
    let counted = targets.indices.filter { targets[$0] >= 0 }
    return counted.map { targets[$0] }.withUnsafeBufferPointer {
      scores.rows(at: counted.map(Int32.init)).crossEntropy($0)
    }
  }

  /// Of each token: the log-probability of the token after it, and whether none is more probable.
  func evaluationScores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    try scores(hidden, batch).targetScores(batch.integerTargets)
  }

  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    var (sum, count) = (0.0, 0)
    for (row, target) in nextTokens(example).enumerated() where target >= 0 {
      let logits = scores[row]
      let top = logits.max() ?? 0
      let total = logits.reduce(0.0) { $0 + exp(Double($1 - top)) }
      sum += Double(logits[logits.startIndex + Int(target)] - top) - log(total)
      count += 1
    }
    try prediction.put(.integer(count), as: "tokens")
    try prediction.put(sum, as: "log_probability")
    try prediction.put(count == 0 ? .nan : exp(-sum / Double(count)), as: "perplexity")
  }

  func measure(_ evaluation: Evaluation) throws {
    var (sum, hits, count) = (0.0, 0.0, 0.0)
    for example in 0..<evaluation.count {
      let scores = evaluation.scores(example)
      for (row, target) in evaluation.integers(example).enumerated() where target >= 0 {
        let score = scores[row]
        sum += Double(score[score.startIndex])
        hits += Double(score[score.startIndex + 1])
        count += 1
      }
    }
    // Over no token there is no mean.
    try evaluation.state("perplexity", count == 0 ? .nan : exp(-sum / count), higherIsBetter: false)
    try evaluation.state("token_accuracy", count == 0 ? .nan : hits / count)
  }
}

/// The one symbol that a plugin exports: describes its components to the host.
@c @implementation
public func ptune_plugin_entry_v1(
  _ host: UnsafePointer<ptune_host_v1>!
) -> UnsafePointer<ptune_plugin_v1>! {
  Plugin.register(with: host, id: "ptune.causal-lm", version: Release.version) {
    [
      .taskHead(
        "causal-lm", summary: "the next token of a text, or of a completion",
        documentation: """
          Language modelling with a causal base model and its own scores over the vocabulary; the head has no \
          parameters. Rows need no label.

          With `text` alone every token but the first is a target, each guessed from those before it. With \
          `text_pair`, `text` is a prompt and `text_pair` its completion, which follows it without a \
          separator, so a completion mostly begins with a blank; only its tokens are targets. The token that ends a \
          text is put behind and is a target too. A prompt that is too long loses its beginning.

          Rows with `messages`, a list of turns with `role` and `content`, are written as the model's chat template \
          says; targets are the assistant's turns with what ends each.

          Metrics: perplexity, the exponential of the mean loss over all targets, and token_accuracy, the share of \
          targets that are the most probable token. `predict` gives each text's number of targets, their \
          log-probability and the perplexity; with `--scores` a row of logits for each token.
          """,
        make: CausalLM.init)
    ]
  }
}
