import PTune
import PTuneEngine
import PTuneFormats
import PTuneText

/// A row of data, cut into pieces, before it is known how many positions are free.
package struct TokenizedRow {
  package enum Content {
    /// A text, or two.
    case pieces([TokenPiece], pair: [TokenPiece]?)
    /// A text that a template was filled with.
    case templated(TemplatedText)
    /// A text, what follows it, and the token that ends it, if one does; and whether what follows changed the pieces of
    /// the text.
    case continued([TokenPiece], [TokenPiece]?, end: Int32?, isJoined: Bool)
    /// A conversation, in one text or several.
    case chat([ChatPieces])
    /// Ids as the model reads them, special tokens included, and their token types.
    case tokens(GivenTokens)
    /// The fields alone: the head lays them out.
    case fields
  }

  /// Its file, where it is not the one that the others are of.
  package var file: String?
  /// Where it stands in its file.
  let line: Int
  /// What a head may ask for: "label" and further fields.
  package let fields: [String: String]
  package let content: Content

  /// The row without its label.
  package var unlabelled: TokenizedRow {
    TokenizedRow(file: file, line: line, fields: fields.filter { $0.key != "label" }, content: content)
  }
}

/// A row of data as a batch takes it.
public struct EncodedExample: Sendable {
  /// Token ids, special tokens included; those of several sequences end to end.
  public let tokens: [Int32]
  /// The segment (0 or 1) of each token.
  public let types: [Int32]
  /// Where each sequence begins in `tokens`, and the end.
  public let offsets: [Int32]
  /// In front of which token each virtual token of a template stands; a template makes one sequence.
  public let marks: [Int32]
  /// Of each sequence, how many tokens stand before the first that is to be guessed; empty where none is.
  public let contexts: [Int32]
  /// What the head made of the label, if the row has one.
  public let integers: [Int32]
  /// The same as numbers.
  public let numbers: [Float]
  /// How many padding tokens the last token represents, from which the scores are then read; 0: it belongs to the text.
  let padding: Int32
  /// Its file, where it is not the one that the others are of.
  package let file: String?
  /// Where it stands in its file.
  public let line: Int
  /// Tokens that were cut off.
  public let dropped: Int
  /// What it was made of, for evaluations: metrics may need texts.
  package let row: TokenizedRow?
}

/// Reads the rows of a task's data files. A row without the text column may have `input_ids` instead: a JSON list of
/// ids, special tokens included, and perhaps `token_type_ids`; or, where texts are gone on with, `messages`.
package struct RowSource {
  package static let messagesColumn = "messages"
  /// The field that tells a head for which fields the run names columns: a JSON list.
  static let namedFieldsField = "named_fields"

  package let data: DataSpec
  let tokenizer: any Tokenizer
  /// How the model reads conversations.
  let chat: ChatTemplates
  /// The column of the text in rows that do not have the column that `data` names.
  var otherTextColumn: String?
  /// How the task's head reads rows.
  package var reading = RowReading.labelledText
  /// How rows become what the base model is given.
  var input = InputReading()
  /// The ids that the model has rows for; nil for those of the tokenizer.
  var vocabularySize: Int?

  /// Reads the rows of a task.
  package init(
    data: DataSpec, tokenizer: any Tokenizer, chat: ChatTemplates, otherTextColumn: String? = nil,
    reading: RowReading = .labelledText, input: InputReading = InputReading(), vocabularySize: Int? = nil
  ) {
    self.data = data
    self.tokenizer = tokenizer
    self.chat = chat
    self.otherTextColumn = otherTextColumn
    self.reading = reading
    self.input = input
    self.vocabularySize = vocabularySize
  }

  /// All rows of a file, cut into pieces.
  ///
  /// - Parameter labelled: whether each row must have the label column.
  /// - Throws: `TextError` with file and line.
  package func rows(of path: String, labelled: Bool) throws -> [TokenizedRow] {
    let reader = try reader(of: path)
    var rows: [TokenizedRow] = []
    while let row = try reader.next() {
      rows.append(try tokenize(row, labelled: labelled))
      if let limit = data.maximumRows, rows.count >= limit { break }
    }
    return rows
  }

  /// Reads a file as `data` says it is laid out.
  package func reader(of path: String) throws(TextError) -> RowReader {
    try RowReader(path: path, format: data.format, header: data.header, text: data.text.value)
  }

  package func tokenize(_ row: Row, labelled: Bool) throws -> TokenizedRow {
    if reading == .arranged { return try wholeRow(row, labelled: labelled) }
    var fields: [String: String] = [:]
    fields["label"] = try label(row, isNeeded: labelled && reading.isLabelled)
    for (name, column) in data.fields { fields[name] = try row.value(column.value) }
    if fields["words"] == nil, let words = row["words"] { fields["words"] = words }
    let text = try text(row, words: &fields["words"])
    if let text { fields["text"] = text }
    if let pair = data.textPair { fields["text_pair"] = row[pair.value] }
    if text == nil, reading == .continuedText { fields[Self.messagesColumn] = row[Self.messagesColumn] }
    return TokenizedRow(
      line: row.line, fields: fields, content: try content(row, text, words: fields["words"]))
  }

  /// All columns of a row under their names, and those that `data` names under the names it gives them.
  private func wholeRow(_ row: Row, labelled: Bool) throws -> TokenizedRow {
    var fields: [String: String] = [:]
    // A column that the run gives to a field is not taken under its own name besides.
    let given = data.fieldColumns
    for (name, value) in zip(row.columns.names, row.values) where fields[name] == nil && !given.contains(name)
    {
      fields[name] = value
    }
    fields["label"] = try label(row, isNeeded: labelled)
    fields["text"] = try row.text(data.text.value) ?? otherTextColumn.flatMap { try row.text($0) }
    if let pair = data.textPair { fields["text_pair"] = try row.text(pair.value) ?? row.value(pair.value) }
    // Which of them a row needs the head knows.
    for (name, column) in data.fields { fields[name] = row[column.value] }
    let named = data.namedFields
    if !named.isEmpty {
      fields[Self.namedFieldsField] = JSONValue.array(named.map { .string($0) }).text(.line)
    }
    let tokens = try self.given(row)
    return TokenizedRow(line: row.line, fields: fields, content: tokens.map { .tokens($0) } ?? .fields)
  }

  /// The label of a row, without blanks around it.
  private func label(_ row: Row, isNeeded: Bool) throws -> String? {
    let label = isNeeded ? try row.value(data.label.value) : row[data.label.value]
    return label.map { String($0.withoutBlanksAround) }
  }

  /// The text of a row; its words joined by spaces where it has only these. The column that is named as that of the text
  /// may hold the words.
  private func text(_ row: Row, words: inout String?) throws -> String? {
    if words == nil, reading == .labelledWords, let list = row[data.text.value], row.isList(data.text.value),
      JSONValue.texts(list) != nil
    {
      words = list
    } else if let text = try row.text(data.text.value) ?? otherTextColumn.flatMap({ try row.text($0) }) {
      return text
    }
    return words.flatMap { JSONValue.texts($0) }?.joined(separator: " ")
  }

  private func content(_ row: Row, _ text: String?, words: String?) throws -> TokenizedRow.Content {
    if let template = data.template?.value { return try templated(template, row, text) }
    if text == nil, let given = try given(row) {
      return .tokens(given)
    }
    if text == nil, reading == .continuedText, let json = row[Self.messagesColumn] {
      return .chat(try chat(json, row.columns.path, row.line))
    }
    return try content(
      text ?? row.value(data.text.value), data.textPair.map { try row.text($0.value) ?? row.value($0.value) },
      words: words)
  }

  private func given(_ row: Row) throws -> GivenTokens? {
    try GivenTokens(row, vocabularySize: vocabularySize ?? tokenizer.vocabularySize, reading: input.readToken)
  }

  /// The conversation of a row, in pieces.
  ///
  /// - Throws: ``DataError/row(path:line:reason:)`` for one that is malformed or that the chat template refuses,
  ///   `ChatTemplateError`.
  private func chat(_ json: String, _ path: String, _ line: Int) throws -> [ChatPieces] {
    try tokenizer.checkPresent()
    do {
      return try tokenizer.pieces(
        chat: ChatMessage.conversation(json: json), chat.template(data.chatTemplate?.value))
    } catch let error as ChatError {
      throw DataError.row(
        path: InputPath.shown(path), line: line,
        reason: "'\(Self.messagesColumn)' \(error)")
    }
  }

  /// A text, or two, in pieces.
  ///
  /// - Parameter words: the text's words, a JSON list; nil for what stands between blanks.
  /// - Throws: `TextError` without a tokenizer, ``DataError`` where it cannot end a text.
  func content(_ text: String, _ pair: String?, words: String? = nil) throws -> TokenizedRow.Content {
    try tokenizer.checkPresent()
    if reading == .labelledWords {
      return .pieces(pieces(ofWordsIn: text, words), pair: pair.map { tokenizer.pieces($0) })
    }
    guard reading == .continuedText else {
      return .pieces(tokenizer.pieces(text), pair: pair.map { tokenizer.pieces($0) })
    }
    let joined = pair.map { tokenizer.pieces(text, continuedBy: $0) }
    var pieces = joined?.text ?? tokenizer.pieces(text)
    var continuation = joined?.continuation
    let isJoined = joined?.changesText ?? false
    guard input.endsTexts else { return .continued(pieces, continuation, end: nil, isJoined: isJoined) }
    guard let end = tokenizer.specialTokens.end else {
      throw DataError.noEndToken
    }
    // A text may end with that token itself.
    if continuation?.last?.id == end {
      continuation?.removeLast()
    } else if continuation == nil, pieces.last?.id == end {
      pieces.removeLast()
    }
    return .continued(pieces, continuation, end: end, isJoined: isJoined)
  }

  private func pieces(ofWordsIn text: String, _ words: String?) -> [TokenPiece] {
    guard let words = words.flatMap({ JSONValue.texts($0) }) else {
      return tokenizer.pieces(words: WordPlaces.between(blanksOf: text), of: text)
    }
    // Which word is not in the text says the head.
    return WordPlaces.of(words, in: text).map { tokenizer.pieces(words: $0, of: text) }
      ?? tokenizer.pieces(text)
  }
}

extension JSONValue {
  /// The texts of a JSON list of strings; nil for anything else.
  package static func texts(_ json: String) -> [String]? {
    guard json.utf8.first == UInt8(ascii: "["), let elements = (try? parse(json))?.arrayValue else {
      return nil
    }
    let texts = elements.compactMap(\.stringValue)
    return texts.count == elements.count ? texts : nil
  }
}
