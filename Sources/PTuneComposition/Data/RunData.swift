import PTune
import PTuneFormats
import PTuneText

/// The rows of one task, file by file, cut into pieces.
package struct TaskRows {
  package var train: [TokenizedRow] = []
  var validation: [TokenizedRow]?
  var test: [TokenizedRow]?

  /// Reads all files that the task names.
  ///
  /// - Parameters:
  ///   - chat: how the model reads conversations.
  ///   - reading: how the task's head reads rows.
  ///   - input: how they become what the base model is given.
  /// - Throws: `TextError` with file and line.
  package init(
    _ data: DataSpec, tokenizer: any Tokenizer, chat: ChatTemplates, reading: RowReading,
    input: InputReading
  ) throws {
    let source = RowSource(data: data, tokenizer: tokenizer, chat: chat, reading: reading, input: input)
    train = try source.rows(of: data.train.value, labelled: true)
    validation = try data.validation.map { try source.rows(of: $0.value, labelled: true) }
    test = try data.test.map { try source.rows(of: $0.value, labelled: true) }
  }

  /// Whether all that is learnt from are conversations.
  package var areConversations: Bool {
    train.allSatisfy { if case .chat = $0.content { true } else { false } }
  }

  /// The different labels of the training data, sorted. A label that is a JSON list of texts, such as the tags of a
  /// sentence, contributes its elements; so does one that is cut at a separator.
  ///
  /// - Throws: ``DataError/tooFewLabels(path:labels:)``; ``DataError/row(path:line:reason:)`` for an empty label.
  package func labels(path: String, separator: String = "") throws -> [String] {
    let labels = Set(
      try train.flatMap { row in
        let label = row.fields["label"] ?? ""
        let all =
          separator.isEmpty ? JSONValue.texts(label) ?? [label] : label.parts(separatedBy: separator)
        if all.contains("") {
          throw DataError.row(path: path, line: row.line, reason: "the label is empty")
        }
        return all
      }
    ).sorted {
      Array($0.utf8).lexicographicallyPrecedes($1.utf8)
    }
    guard labels.count >= 2 else { throw DataError.tooFewLabels(path: path, labels: labels) }
    return labels
  }
}

/// The encoded examples of one task.
package struct TaskExamples {
  package let train: [EncodedExample]
  package let validation: [EncodedExample]?
  package let test: [EncodedExample]?

  /// No examples.
  package static let none = TaskExamples()

  private init() { (train, validation, test) = ([], nil, nil) }

  package init(_ rows: TaskRows, _ data: DataSpec, task: Int, composition: Composition) throws {
    train = try composition.examples(rows.train, task: task, path: data.train.value)
    validation = try rows.validation.map {
      try composition.examples($0, task: task, path: data.validation?.value ?? "", keepingRows: true)
    }
    test = try rows.test.map {
      try composition.examples($0, task: task, path: data.test?.value ?? "", keepingRows: true)
    }
  }
}
