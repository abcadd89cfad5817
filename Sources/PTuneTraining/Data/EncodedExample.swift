import PTuneEngine
import PTuneFormats
import PTuneText

/// A row of data, cut into pieces, before it is known how many positions are free.
struct TokenizedRow {
  /// Where it stands in its file.
  let line: Int
  /// What a head may ask for: "label" and further fields.
  let fields: [String: String]
  let first: [TokenPiece]
  let second: [TokenPiece]?
}

/// A row of data as a batch takes it.
public struct EncodedExample: Sendable {
  /// Token ids, special tokens included.
  public let tokens: [Int32]
  /// The segment (0 or 1) of each token.
  public let types: [Int32]
  /// What the head made of the label, if the row has one.
  public let integers: [Int32]
  /// The same as numbers.
  public let numbers: [Float]
  /// Where it stands in its file.
  public let line: Int
  /// Tokens that were cut off.
  public let dropped: Int
}

/// Reads the rows of a task's data files.
struct RowSource {
  let data: DataSpec
  let tokenizer: any Tokenizer

  /// All rows of a file, cut into pieces.
  ///
  /// - Parameter labelled: whether each row must have the label column.
  /// - Throws: `TextError` with file and line.
  func rows(of path: String, labelled: Bool) throws -> [TokenizedRow] {
    let reader = try RowReader(path: path, format: data.format, header: data.header ?? true)
    var rows: [TokenizedRow] = []
    while let row = try reader.next() {
      rows.append(try tokenize(row, labelled: labelled))
      if let limit = data.maximumRows, rows.count >= limit { break }
    }
    return rows
  }

  func tokenize(_ row: Row, labelled: Bool) throws -> TokenizedRow {
    var fields: [String: String] = [:]
    if labelled {
      fields["label"] = try row.value(data.label.value)
    } else if let label = row[data.label.value] {
      fields["label"] = label
    }
    for (name, column) in data.fields { fields[name] = try row.value(column.value) }
    return TokenizedRow(
      line: row.line, fields: fields, first: tokenizer.pieces(try row.value(data.text.value)),
      second: try data.textPair.map { tokenizer.pieces(try row.value($0.value)) })
  }
}

/// How often each token occurs in the training data.
struct TokenCounts {
  private var counts: [Int32: Int] = [:]

  mutating func add(_ rows: [TokenizedRow]) {
    for row in rows {
      for piece in row.first { counts[piece.id, default: 0] += 1 }
      for piece in row.second ?? [] { counts[piece.id, default: 0] += 1 }
    }
  }

  /// The most frequent tokens, at most `limit`; without counts the ordinary tokens of the vocabulary in order.
  func mostFrequent(_ limit: Int, tokenizer: any Tokenizer) -> [Int32] {
    guard !counts.isEmpty else {
      let special = tokenizer.specialTokens.all
      return Array(
        (0..<Int32(tokenizer.vocabularySize)).lazy.filter {
          !special.contains($0) && tokenizer.token($0).map { !$0.hasPrefix("[unused") } ?? false
        }.prefix(limit))
    }
    // Equal counts in the order of ids, so that the result is the same every time.
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(limit).map(\.key)
  }
}

extension SpecialTokens {
  /// All ids that are set.
  var all: Set<Int32> {
    Set([classification, separator, padding, mask, unknown, beginning, end].compactMap { $0 })
  }
}
