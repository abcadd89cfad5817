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
      "which entries of the pool a text gets depends on the text, so there is no one prompt"
    case .noPool(let adapter): "'\(adapter)' has no pool to select from"
    case .atLayers: "the pool's rows stand at layers and take no positions, which no prompt at the input does"
    case .noEntry(let entry, _): "the pool has no entry \(entry)"
    case .isMixed:
      "the pool's entries are mixed by weights that depend on the text, so several of them are no one prompt"
    }
  }

  /// What to do about it.
  public var help: String? {
    switch self {
    case .dependsOnText:
      "name the entries to keep with --select; selection.json of the training says which ones are used"
    case .noPool: "leave --select out"
    case .atLayers: "train a pool with 'at: input'"
    case .noEntry(_, let count): "its entries are 0 to \(count - 1)"
    case .isMixed: "name one entry with --select"
    }
  }
}
