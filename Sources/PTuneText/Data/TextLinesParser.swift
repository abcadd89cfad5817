/// Rows of plain text: each line is one.
struct TextLinesParser: RowParser {
  let lines: LineReader
  private let columns: Columns

  init(lines: LineReader, path: String) throws(TextError) {
    self.lines = lines
    columns = try Columns(path: path, names: ["text"])
  }

  mutating func next() throws(TextError) -> Row? {
    guard let line = try lines.next() else { return nil }
    try lines.checkEnd(of: line)
    return Row(line: line.number, columns: columns, values: [line.text])
  }
}
