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
    train = try Self.rows(source, data.train)
    for file in data.furtherTrain {
      train += try Self.rows(source, file).map { row in
        var row = row
        row.file = file.value
        return row
      }
    }
    validation = try data.validation.map { try Self.rows(source, $0) }
    test = try data.test.map { try Self.rows(source, $0) }
  }

  private static func rows(_ source: RowSource, _ file: Located<String>) throws -> [TokenizedRow] {
    do {
      return try source.rows(of: file.value, labelled: true)
    } catch let error as TextError where error.isAboutFile {
      throw DataError.file(file.place, error)
    }
  }

  /// How many training rows have each label, in the order of the labels; of a label that is a list, of its elements.
  package func counts(of labels: [String], separator: String) -> [(label: String, count: Int)] {
    var counts: [String: Int] = [:]
    for label in train.compactMap({ $0.fields["label"] }).flatMap({ Self.parts(of: $0, separator) }) {
      counts[label, default: 0] += 1
    }
    return labels.map { ($0, counts[$0] ?? 0) }
  }

  private static func parts(of label: String, _ separator: String) -> [String] {
    separator.isEmpty ? JSONValue.texts(label) ?? [label] : label.parts(separatedBy: separator)
  }

  /// Whether all that is learnt from are conversations.
  package var areConversations: Bool {
    train.allSatisfy { if case .chat = $0.content { true } else { false } }
  }

  /// Refuses a text and a label that were most likely given the wrong way round: each row has a label of its own, and
  /// few texts come again and again.
  ///
  /// - Throws: ``DataError/swapped(_:label:labels:text:texts:rows:)``.
  package func checkColumns(_ data: DataSpec) throws {
    let labels = Set(train.compactMap { $0.fields["label"] })
    let texts = Set(train.compactMap { $0.fields["text"] })
    guard train.count >= 8, labels.count * 2 > train.count, texts.count * 4 <= labels.count else { return }
    throw DataError.swapped(
      data.label.place, label: data.label.value, labels: labels.count, text: data.text.value,
      texts: texts.count, rows: train.count)
  }

  /// The different labels of the training data, in their order. A label that is a JSON list of texts, such as the tags of
  /// a sentence, contributes its elements; so does one that is cut at a separator.
  ///
  /// - Parameter known: the labels of the base model in the order of its classes.
  /// - Throws: ``DataError/tooFewLabels(path:labels:)``; ``DataError/row(path:line:reason:)`` for an empty label.
  package func labels(path: String, separator: String = "", known: [String] = []) throws -> [String] {
    let labels = Set(
      try train.flatMap { row in
        let all = Self.parts(of: row.fields["label"] ?? "", separator)
        if all.contains("") {
          throw DataError.row(path: row.file ?? path, line: row.line, reason: "the label is empty")
        }
        return all
      }
    )
    guard labels.count >= 2 else { throw DataError.tooFewLabels(path: path, labels: labels.sorted()) }
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
    train = try composition.examples(rows.train, task: task, path: data.train.value)
    validation = try rows.validation.map {
      try composition.examples($0, task: task, path: data.validation?.value ?? "", keepingRows: true)
    }
    test = try rows.test.map {
      try composition.examples($0, task: task, path: data.test?.value ?? "", keepingRows: true)
    }
  }
}
