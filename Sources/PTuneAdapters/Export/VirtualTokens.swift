import PTuneComposition
import PTuneEngine
import PTuneFormats
import PTunePlugins
import PTuneText

/// The rows of a prompt at the input, as tokens of their own that any engine can be given.
struct VirtualTokens {
  /// `[count, width]`, row-major.
  let rows: [Float]
  let count: Int
  let width: Int
  /// The id of the first one: what a tokenizer gives to a token that is added to it.
  let first: Int
  private let placement: String
  private let adapter: TrainedAdapter

  /// - Throws: ``MergeError`` for an adapter that has no such prompt.
  init(_ adapter: TrainedAdapter, tokenizer: any Tokenizer) throws {
    guard ["prompt-tuning", "p-tuning"].contains(adapter.choice.plugin),
      let prompt = adapter.tensors.first(where: { $0.name == "prompt_embeddings" })
    else {
      throw MergeError.noPrompt(adapter: adapter.choice.plugin)
    }
    try tokenizer.checkPresent()
    guard case .string(let placement)? = adapter.choice.hyperparameters["placement"], placement != "middle"
    else {
      throw MergeError.promptInMiddle
    }
    (rows, count, width) = (prompt.values, prompt.shape[0], prompt.shape[1])
    first = tokenizer.vocabularySize
    (self.placement, self.adapter) = (placement, adapter)
    if let taken = names.first(where: { tokenizer.id($0) != nil }) {
      throw MergeError.tokenExists(taken)
    }
  }

  /// What the tokens are called.
  var names: [String] { (0..<count).map { "<|ptune_\($0)|>" } }

  /// The text to give to a tokenizer that is told to add no special tokens; `{text}` stands for the text.
  func pattern(_ tokenizer: any Tokenizer, template: TextTemplate?) -> String {
    let prompt = names.joined()
    func special(_ parts: some Sequence<SequenceTemplate.Part>) -> String {
      parts.reduce(into: "") { text, part in
        if case .special(let id, _) = part { text += tokenizer.token(id) ?? "" }
      }
    }
    let single = tokenizer.template.single
    let front = special(single.prefix { if case .special = $0 { true } else { false } })
    let back = special(single.reversed().prefix { if case .special = $0 { true } else { false } }.reversed())
    func token(_ kind: KeyPath<SpecialTokens, Int32?>) -> String {
      tokenizer.specialTokens[keyPath: kind].flatMap { tokenizer.token($0) } ?? ""
    }
    let text =
      template?.written(virtualTokens: names, mask: token(\.mask), separator: token(\.separator)) ?? "{text}"
    return switch placement {
    case "after-first":
      front.isEmpty ? "the first token of {text}, \(prompt), and the rest" : "\(front)\(prompt)\(text)\(back)"
    case "end": "\(front)\(text)\(back)\(prompt)"
    case "template": "\(front)\(text)\(back)"
    default: "\(prompt)\(front)\(text)\(back)"
    }
  }
}

extension VirtualTokens {
  /// Output rows for tokens that are read and never written, `[count, columns]`: the mean of all rows, whose score is the
  /// mean of all scores, so that another token's is always higher.
  ///
  /// - Parameters:
  ///   - shape: of the output layer, `[rows, columns]`.
  ///   - forEachRow: shows each of its rows.
  func unwritten(
    of shape: [Int], _ forEachRow: ((UnsafeBufferPointer<Float>) -> Void) throws -> Void
  ) rethrows -> [Float] {
    var sums = [Double](repeating: 0, count: shape[1])
    try forEachRow { row in
      for column in sums.indices { sums[column] += Double(row[column]) }
    }
    let mean = sums.map { Float($0 / Double(shape[0])) }
    return (0..<count).flatMap { _ in mean }
  }
}
