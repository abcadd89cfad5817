import PTuneFormats
import PTuneText

/// The tokens of a row that was tokenised elsewhere.
struct GivenTokens {
  static let idsColumn = "input_ids"
  static let typesColumn = "token_type_ids"

  let ids: [Int32]
  let types: [Int32]

  /// The tokens of a row; nil if it has no column `input_ids`.
  ///
  /// - Throws: ``TrainingError/row(path:line:reason:)`` for what is no list of ids of the vocabulary.
  init?(_ row: Row, vocabularySize: Int) throws {
    guard let text = row[Self.idsColumn] else { return nil }
    let place = (path: row.columns.path, line: row.line)
    ids = try Self.list(text, Self.idsColumn, below: vocabularySize, place)
    guard !ids.isEmpty else { throw Self.wrong("'\(Self.idsColumn)' is empty", place) }
    guard let text = row[Self.typesColumn] else {
      types = ids.map { _ in 0 }
      return
    }
    types = try Self.list(text, Self.typesColumn, below: 2, place)
    guard types.count == ids.count else {
      throw Self.wrong(
        "'\(Self.typesColumn)' has \(types.count) elements, but '\(Self.idsColumn)' has \(ids.count)", place)
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
