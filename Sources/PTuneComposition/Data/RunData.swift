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
  /// - Throws: `TextError` with file and line.
  package init(
    _ data: DataSpec, tokenizer: any Tokenizer, chat: ChatTemplates, reading: RowReading
  ) throws {
    let source = RowSource(data: data, tokenizer: tokenizer, chat: chat, reading: reading)
    train = try source.rows(of: data.train.value, labelled: true)
    validation = try data.validation.map { try source.rows(of: $0.value, labelled: true) }
    test = try data.test.map { try source.rows(of: $0.value, labelled: true) }
  }

  /// The different labels of the training data, in their order. A label that is a JSON list of texts, such as the tags of
  /// a sentence, contributes its elements; so does one that is cut at a separator.
  ///
  /// - Parameter known: the labels of the base model in the order of its classes.
  /// - Throws: ``TrainingError/tooFewLabels(path:labels:)``.
  package func labels(path: String, separator: String = "", known: [String] = []) throws -> [String] {
    let labels = Set(
      train.compactMap { $0.fields["label"] }.flatMap { label in
        separator.isEmpty ? JSONValue.texts(label) ?? [label] : label.parts(separatedBy: separator)
      }
    )
    guard labels.count >= 2 else { throw TrainingError.tooFewLabels(path: path, labels: labels.sorted()) }
    return Self.ordered(labels, known: known)
  }

  /// Labels in the order of their classes: that of the base model where it has all of them, so that a class has one
  /// number everywhere; that of their numbers where all are whole numbers; else that of their UTF-8 bytes.
  package static func ordered(_ labels: Set<String>, known: [String]) -> [String] {
    if labels.isSubset(of: known) { return known.filter(labels.contains) }
    let sorted = labels.sorted { Array($0.utf8).lexicographicallyPrecedes($1.utf8) }
    let numbers = sorted.compactMap { Int($0) }
    guard numbers.count == sorted.count else { return sorted }
    // Of equal numbers, such as 1 and 01, the one with the lesser bytes stands first.
    return zip(numbers, sorted).sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.1)
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
    train = try composition.encode(rows.train, task: task, path: data.train.value)
    validation = try rows.validation.map {
      try composition.encode($0, task: task, path: data.validation?.value ?? "", keepingRows: true)
    }
    test = try rows.test.map {
      try composition.encode($0, task: task, path: data.test?.value ?? "", keepingRows: true)
    }
  }
}
