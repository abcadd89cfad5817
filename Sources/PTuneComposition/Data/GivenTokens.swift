import PTuneFormats
import PTuneText

/// Which token of a row that was tokenised elsewhere a text's scores are read from, in a model that reads the last one.
package enum ReadToken: Equatable, Sendable {
  /// The text's last one.
  case ofText
  /// The last one, though it may be padding.
  case last
  /// The last one that is not this, which stands for padding.
  case lastExcept(Int32)
}

/// The tokens of a row that was tokenised elsewhere. Those that `attention_mask` marks as padding are left out, but for one
/// that scores are read from.
package struct GivenTokens {
  static let idsColumn = "input_ids"
  static let typesColumn = "token_type_ids"
  static let maskColumn = "attention_mask"

  package let ids: [Int32]
  let types: [Int32]
  /// For how many tokens of padding the last id stands; 0: it belongs to the text.
  let padding: Int

  /// The tokens of a row; nil if it has no column `input_ids`. Which types there are only the model knows.
  ///
  /// - Parameter reading: which token is the last one, after which nothing matters.
  /// - Throws: ``DataError/row(path:line:reason:)`` for what is no list of ids of the vocabulary.
  package init?(_ row: Row, vocabularySize: Int, reading: ReadToken = .ofText) throws {
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
    let types = try column(Self.typesColumn, below: Int(Int32.max), count: all.count) ?? all.map { _ in 0 }
    let mask = try column(Self.maskColumn, below: 2, count: all.count)
    let kept = all.indices.filter { mask?[$0] != 0 }
    guard let last = kept.last else {
      throw Self.wrong(
        all.isEmpty ? "'\(Self.idsColumn)' is empty" : "'\(Self.maskColumn)' leaves no token", place)
    }
    let end =
      switch reading {
      case .ofText: last
      case .last: all.count - 1
      case .lastExcept(let padding): all.lastIndex { $0 != padding } ?? 0
      }
    let seen = kept.filter { $0 <= end }
    padding = end - (seen.last ?? -1)
    let read = padding > 0 ? seen + [end] : seen
    ids = read.map { all[$0] }
    self.types = read.map { types[$0] }
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
        throw wrong("'\(column)' contains \(number), which is not within 0 and \(limit - 1)", place)
      }
      return Int32(number)
    }
  }

  private static func wrong(_ reason: String, _ place: (path: String, line: Int)) -> DataError {
    .row(path: InputPath.shown(place.path), line: place.line, reason: reason)
  }
}
