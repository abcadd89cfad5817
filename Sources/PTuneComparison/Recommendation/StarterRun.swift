import PTuneFormats
import PTuneRunFile

/// A run file to begin with.
public struct StarterRun: Sendable {
  /// Its text.
  public let text: String

  /// A run file for a method.
  ///
  /// - Parameters:
  ///   - method: the adapter, as `ptune compare --adapters` takes it.
  ///   - comment: lines to stand in front.
  ///   - name: of the run; its output is `runs/NAME`.
  public init(_ method: String, for situation: Situation, comment: [String], name: String) {
    let parts = method.split(separator: ":").map(String.init)
    var (adapter, selector) = (["  plugin: \(parts[0])", "  virtual_tokens: 20"], [String]())
    for part in parts.dropFirst() {
      let (key, value) = Self.setting(part)
      if key == "selector" { selector = ["selector: \(value)"] } else { adapter.append("  \(key): \(value)") }
    }
    let head = situation.head ?? (situation.model?.isCausal == true ? "causal-lm" : "sequence-classification")
    let model = situation.model?.name ?? Self.exampleModel
    let file = head == "token-classification" ? "conll" : "tsv"
    let names = situation.tasks > 1 ? (1...situation.tasks).map { "task\($0)" } : ["task"]
    let tasks = names.flatMap { name in
      let folder = situation.tasks > 1 ? "data/\(name)" : "data"
      return [
        "  - name: \(name)", "    head: \(head)", "    data:",
        "      train: \(folder)/train.\(file)            # \(Self.columns(head))",
        "      validation: \(folder)/validation.\(file)  # decides which adapter is the best one",
        "      test: \(folder)/test.\(file)              # measured at the end; remove it if there is none",
      ]
    }
    // Few examples need more passes; a pass over many takes a while.
    let epochs =
      situation.trainExamples.map { $0 <= SelectionRule.fewExamples ? 20 : $0 <= 5000 ? 5 : 3 } ?? 3
    let lines =
      comment.map { "# \($0)" } + ["base:", "  model: \(RunText.quoted(model))", "adapter:"] + adapter
      + selector
      + ["tasks:"] + tasks + [
        "training:", "  epochs: \(epochs)",
        "  batch_size: \(situation.isTight ? 8 : 32)", "output: runs/\(name)",
      ]
    text = lines.map { $0 + "\n" }.joined()
  }

  private static let exampleModel = "sentence-transformers/all-MiniLM-L6-v2"

  private static func setting(_ part: String) -> (key: String, value: String) {
    let parts = part.split(separator: "=", maxSplits: 1).map(String.init)
    return (parts[0], parts.count > 1 ? parts[1] : "")
  }

  private static func columns(_ head: String) -> String {
    switch head {
    case "token-classification": "a word and its tag per line"
    case "causal-lm": "the column text, and text_pair for what follows it"
    case "extractive-qa": "the columns that the head's documentation names, or a file of SQuAD"
    default: "the columns text and label; `text:` and `label:` name others"
    }
  }
}
