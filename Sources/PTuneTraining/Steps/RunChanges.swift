import PTuneComposition
import PTuneFormats
import PTuneRunFile

/// What a resumed training does otherwise than it did before its checkpoint.
struct RunChanges {
  /// A setting that is another one now.
  struct Change: Equatable, CustomStringConvertible {
    /// "training.batch_size".
    let key: String
    /// As the run file of the checkpoint has it; nil for nothing.
    let before: String?
    /// As it is now; nil for nothing.
    let now: String?

    var description: String { "\(key) was \(before ?? "not set") and is \(now ?? "not set")" }

    /// Whether a training that was not interrupted has the same result with either.
    fileprivate var isHarmless: Bool {
      let part = key.split(separator: ".").last.map(String.init) ?? key
      return key == "output" || key.hasPrefix("training.") && RunChanges.harmless.contains(part)
        || key.hasPrefix("tasks.") && key.hasSuffix(".data.test")
    }
  }

  /// Options of `training` that decide what is written and when, and what happens to a step that fails.
  private static let harmless: Set<String> = [
    "log_every", "checkpoint_every", "keep_checkpoints", "tensorboard", "predictions", "samples",
    "recompute", "on_divergence", "skip_limit", "explosion_factor",
  ]

  /// All of them, by key.
  let all: [Change]
  /// Those that lead to another result than that of either run.
  var breaking: [Change] { all.filter { !$0.isHarmless } }

  /// Compares the run file of a checkpoint's folder with a run.
  ///
  /// - Parameters:
  ///   - before: the text of the folder's run.yaml.
  ///   - rows: tasks whose training rows are others, though their files have the same name.
  /// - Throws: `RunFileError`.
  init(_ before: String, file: String, _ now: RunSpec, rows: [String]) throws(RunFileError) {
    let old = try RunSpec.settings(before, file: file)
    let new = try RunSpec.settings(now.yaml(), file: file)
    let keys = Set(old.keys).union(new.keys).sorted()
    var changes = keys.filter { old[$0] != new[$0] }.map { Change(key: $0, before: old[$0], now: new[$0]) }
    for task in rows where !changes.contains(where: { $0.key.hasPrefix("tasks.\(task).") }) {
      changes.append(
        Change(key: "what the training data of '\(task)' holds", before: "other rows", now: "changed since"))
    }
    all = changes
  }

  /// Changes as a sentence part; not more than a few.
  static func text(_ changes: [Change]) -> String {
    changes.prefix(6).map(\.description).joined(separator: "; ")
      + (changes.count > 6 ? "; and \(changes.count - 6) more" : "")
  }

  /// The lines in front of a run file that tell with what the steps before were taken.
  ///
  /// - Parameters:
  ///   - before: the run file of the checkpoint's folder, with such lines where it was changed before.
  ///   - step: the checkpoint's.
  func history(after before: String, step: Int) -> String {
    let lines = breaking.map { "#   \($0.key): \(Self.oneLine($0.before ?? "not set"))\n" }
    return Self.comments(of: before) + "\(ResumedRun.mark); up to step \(step) this was:\n"
      + lines.joined()
  }

  /// The comment that a run file begins with.
  static func comments(of runFile: String) -> String {
    runFile.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("#") }
      .map { $0 + "\n" }.joined()
  }

  private static func oneLine(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }
}

/// What tells the training rows of a task from others: a hash of what was made of them (FNV-1a over 32-bit words), which
/// is to find mistakes and no forgeries.
struct ExampleDigest {
  private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

  /// The digest of examples, in hexadecimal.
  static func of(_ examples: [EncodedExample]) -> String {
    var digest = ExampleDigest()
    for example in examples {
      for words in [example.tokens, example.types, example.offsets, example.marks, example.integers] {
        digest.add(UInt32(truncatingIfNeeded: words.count))
        for word in words { digest.add(UInt32(bitPattern: word)) }
      }
      for number in example.numbers { digest.add(number.bitPattern) }
    }
    return String(digest.hash, radix: 16)
  }

  private mutating func add(_ word: UInt32) { hash = (hash ^ UInt64(word)) &* 0x100_0000_01B3 }
}
