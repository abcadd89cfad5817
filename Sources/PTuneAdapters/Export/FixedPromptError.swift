import PTuneFormats

/// Why an adapter with a pool is not the same prompt for every text.
public enum FixedPromptError: HelpfulError, Equatable {
  /// The entries depend on the text, and none were named.
  case dependsOnText
  /// Entries were named, and there is no pool.
  case noPool(adapter: String)
  /// The pool's rows stand at layers.
  case atLayers
  /// The pool has no entry of this number.
  case noEntry(Int, count: Int)
  /// Several entries, which are mixed by weights that depend on the text.
  case isMixed
}

extension FixedPromptError {
  /// What is wrong.
  public var description: String {
    switch self {
    case .dependsOnText:
      "the entries of the pool depend on the text, so there is no single prompt"
    case .noPool(let adapter): "'\(adapter)' has no pool to select from"
    case .atLayers: "the pool's rows are at layers and occupy no positions, unlike a prompt at the input"
    case .noEntry(let entry, _): "the pool has no entry \(entry)"
    case .isMixed:
      "the pool's entries are mixed by weights that depend on the text, so several of them do not make one prompt"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .dependsOnText:
      "name the entries to keep with --select; the training's selection.json shows which ones are used"
    case .noPool: "omit --select"
    case .atLayers: "train a pool with 'at: input'"
    case .noEntry(_, let count): "its entries are 0 to \(count - 1)"
    case .isMixed: "name one entry with --select"
    }
  }
}
