import PTuneFormats
import PTuneText

/// The tokens of a row that was tokenised elsewhere. Those that `attention_mask` marks as padding are left out.
struct GivenTokens {
  static let idsColumn = "input_ids"
  static let typesColumn = "token_type_ids"
  static let maskColumn = "attention_mask"

  let ids: [Int32]
  let types: [Int32]

  /// The tokens of a row; nil if it has no column `input_ids`.
  ///
  /// - Throws: ``TrainingError/row(path:line:reason:)`` for what is no list of ids of the vocabulary.
  init?(_ row: Row, vocabularySize: Int) throws {
    guard let text = row[Self.idsColumn] else { return nil }
    let place = (path: row.columns.path, line: row.line)
    func column(_ name: String, below limit: Int, count: Int) throws -> [Int32]? {
      guard let text = row[name] else { return nil }
      let list = try Self.list(text, name, below: limit, place)
      guard list.count == count else {
        throw Self.wrong(
          "'\(name)' has \(list.count) elements, but '\(Self.idsColumn)' has \(count)", place)
      }
      return list
    }
    let all = try Self.list(text, Self.idsColumn, below: vocabularySize, place)
    let types = try column(Self.typesColumn, below: 2, count: all.count) ?? all.map { _ in 0 }
    let mask = try column(Self.maskColumn, below: 2, count: all.count)
    let kept = all.indices.filter { mask?[$0] != 0 }
    ids = kept.map { all[$0] }
    self.types = kept.map { types[$0] }
    guard !ids.isEmpty else {
      throw Self.wrong(
        all.isEmpty ? "'\(Self.idsColumn)' is empty" : "'\(Self.maskColumn)' leaves no token", place)
    }
  }

  private static func list(
    _ text: String, _ column: String, below limit: Int, _ place: (path: String, line: Int)
  ) throws -> [Int32] {
    guard let elements = (try? JSONValue.parse(text))?.arrayValue else {
      throw wrong("'\(column)' has to be a JSON list of integers", place)
    }
    return try elements.map { element in
      guard case .int(let number) = element else {
        throw wrong("'\(column)' has to be a JSON list of integers", place)
      }
      guard (0..<limit).contains(number) else {
        throw wrong("'\(column)' holds \(number), which is not within 0 and \(limit - 1)", place)
      }
      return Int32(number)
    }
  }

  private static func wrong(_ reason: String, _ place: (path: String, line: Int)) -> TrainingError {
    .row(path: place.path == "-" ? "standard input" : place.path, line: place.line, reason: reason)
  }
}
