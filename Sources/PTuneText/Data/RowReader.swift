/// Reads a data file row by row; memory does not grow with the file. Not safe to share between threads.
///
/// A byte order mark at the start and a carriage return at the end of a line are dropped. Blank lines are passed over,
/// except in TSV and CSV files of one column, where a blank line is an empty text.
public final class RowReader {
  /// The columns of the file: of its header, or of the first row where there is none.
  public let columns: Columns
  private var parser: any RowParser
  private var first: Row?

  /// Opens a file, `-` for standard input, and reads its header and first row.
  ///
  /// - Parameters:
  ///   - format: nil goes by the extension.
  ///   - header: whether the first line of TSV, CSV or CoNLL columns names the columns; if not, they are `"1"`, `"2"`,
  ///     …. nil: TSV and CSV have a header, CoNLL columns have none.
  ///   - text: which column of CoNLL columns holds the words; `text` is the first.
  /// - Throws: `TextError` for a file that cannot be read, is empty, has no rows, or is malformed so far.
  public init(
    path: String, format: DataFormat? = nil, header: Bool? = nil, text: String = "text"
  ) throws(TextError) {
    let format = if let format { format } else { try DataFormat(path: path) }
    switch format {
    case .squad: parser = try SQuADParser(path: path)
    case .tsv:
      parser = SeparatedParser(
        records: TSVRecords(lines: try LineReader(path: path)), path: path, header: header ?? true)
    case .csv:
      parser = SeparatedParser(
        records: CSVRecords(lines: try LineReader(path: path)), path: path, header: header ?? true)
    case .jsonl: parser = JSONLinesParser(lines: try LineReader(path: path), path: path)
    case .text: parser = try TextLinesParser(lines: try LineReader(path: path), path: path)
    case .conll:
      parser = CoNLLParser(
        lines: try LineReader(path: path), path: path, header: header ?? false, text: text)
    }
    guard let row = try parser.next() else { throw .noRows(path: path) }
    first = row
    columns = row.columns
  }

  /// The next row, or nil after the last.
  ///
  /// - Throws: `TextError` naming file and line of what is malformed.
  public func next() throws(TextError) -> Row? {
    if let row = first {
      first = nil
      return row
    }
    return try parser.next()
  }
}

/// A file's rows in memory.
public struct Table: Sendable {
  /// The columns of the file, or of the first row of JSON lines.
  public let columns: Columns
  /// All rows; at least one.
  public let rows: [Row]

  /// Reads a whole file; see `RowReader.init(path:format:header:text:)`.
  ///
  /// - Throws: `TextError` naming file and line of what is malformed.
  public init(
    path: String, format: DataFormat? = nil, header: Bool? = nil, text: String = "text"
  ) throws(TextError) {
    let reader = try RowReader(path: path, format: format, header: header, text: text)
    columns = reader.columns
    var rows: [Row] = []
    while let row = try reader.next() { rows.append(row) }
    self.rows = rows
  }
}

/// Makes rows out of lines.
protocol RowParser {
  mutating func next() throws(TextError) -> Row?
}
