import CPTune
import PTune

/// How a task's head reads the rows of its data.
package enum RowReading: Sendable {
  /// A text, or two, and a label.
  case labelledText
  /// The same, but each word of the text is cut into pieces by itself: the head scores each token, and their labels are
  /// those of words.
  case labelledWords
  /// A text, or two, that need no label.
  case unlabelledText
  /// A text and what follows it; it needs no label.
  case continuedText
  /// Fields that the head lays out itself.
  case arranged

  init(arranges: Bool, scoresTokens: Bool, _ reading: Reading) {
    self =
      switch reading {
      case _ where arranges: .arranged
      case .labelledText: scoresTokens ? .labelledWords : .labelledText
      case .unlabelledText: .unlabelledText
      case .continuedText: .continuedText
      }
  }

  /// Whether rows to learn from have a label.
  var isLabelled: Bool { self == .labelledText || self == .labelledWords }

  /// Whether a text becomes a sequence with the special tokens around it, by a template if there is one.
  var isWholeText: Bool { isLabelled || self == .unlabelledText }

  /// Whether a row has targets without a label.
  var needsNoLabel: Bool { self == .unlabelledText || self == .continuedText }
}

extension Composition {
  /// How the head of a task reads rows.
  package func reading(task: Int) -> RowReading {
    RowReading(
      arranges: model.arranges(task: task), scoresTokens: model.scoresTokens(task: task),
      model.reading(task: task))
  }
}

extension ComponentFactory {
  /// How a task head reads rows, known before it is made.
  ///
  /// - Throws: `UnknownComponentError` or `Rejection`.
  package func reading(head name: String) throws -> RowReading {
    guard let table = try registry.load(.taskHead, named: name).methods(as: ptune_task_head_v1.self) else {
      return .labelledText
    }
    return RowReading(
      arranges: table.pointee.arrange != nil,
      scoresTokens: ScoreRows(rawValue: table.pointee.score_rows) == .perToken,
      Reading(rawValue: table.pointee.reading) ?? .labelledText)
  }
}
