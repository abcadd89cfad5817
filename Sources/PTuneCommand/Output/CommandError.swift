import PTuneFormats

/// What a command does not do as it was asked.
enum CommandError: HelpfulError, Equatable {
  /// A new training would replace a trained adapter.
  case trained(adapter: String)
  /// Predictions of several tasks for one table.
  case severalTasks
  /// A prediction with a key that the table has no column for.
  case otherKey(String)

  /// What is wrong, where.
  var description: String {
    switch self {
    case .trained(let adapter): "\(adapter) holds a trained adapter, which a new training would replace"
    case .severalTasks: "predictions of several tasks have different keys, which do not go into one table"
    case .otherKey(let key): "a prediction has the key '\(key)', which the first one did not have"
    }
  }

  /// What to do about it.
  var help: String? {
    switch self {
    case .trained:
      "give another folder with --output, go on with it by --resume, or throw it away with --overwrite"
    case .severalTasks: "name the task with --task, or write jsonl"
    case .otherKey: "write jsonl instead"
    }
  }
}
