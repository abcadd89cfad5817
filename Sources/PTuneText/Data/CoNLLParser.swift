import PTuneFormats

/// Rows of a CoNLL column file: a token a line, a sentence up to a blank line (Tjong Kim Sang & De Meulder 2003).
///
/// Each column of a row is a JSON list with the cells of its lines, named by the header or by number. To these come
/// `words`, the list of the word column; the word column's text, its words joined by a space, under the name that was
/// asked for; and `label`, the list of the last column. Lines that begin with `-DOCSTART-` are passed over.
struct CoNLLParser: RowParser {
  let lines: LineReader
  let path: String
  /// The column of the words, by name or number; `text` where no column has this name is the first.
  let text: String
  private let header: Bool
  private var names: [String]?
  private var columns: Columns?

  init(lines: LineReader, path: String, header: Bool, text: String) {
    (self.lines, self.path, self.header, self.text) = (lines, path, header, text)
  }

  mutating func next() throws(TextError) -> Row? {
    if header, names == nil {
      guard let line = try nextFilled() else { return nil }
      names = line.cells
    }
    guard let first = try nextFilled() else { return nil }
    let names = names ?? first.cells.indices.map { String($0 + 1) }
    self.names = names
    var cells = first.cells.map { _ in [String]() }
    var current: (number: Int, cells: [String])? = first
    while let line = current, !line.cells.isEmpty {
      guard line.cells.count == names.count else {
        throw .wrongColumnCount(
          path: path, line: line.number, found: line.cells.count, expected: names.count)
      }
      for (column, cell) in line.cells.enumerated() { cells[column].append(cell) }
      current = try nextCells()
    }
    return try row(line: first.number, names, cells)
  }

  private mutating func row(line: Int, _ names: [String], _ cells: [[String]]) throws(TextError) -> Row {
    guard let words = names.firstIndex(of: text) ?? (text == "text" ? 0 : nil) else {
      throw .missingColumn(path: path, line: line, name: text, columns: names)
    }
    let lists = cells.map { PTuneFormats.JSONValue.array($0.map { .string($0) }).text(.line) }
    let joined = cells[words].joined(separator: " ")
    var members = zip(names, lists).map { ($0, $0 == text ? joined : $1) }
    if !names.contains(text) { members.append((text, joined)) }
    if text != "words", !names.contains("words") { members.append(("words", lists[words])) }
    if names.count > 1, text != "label", !names.contains("label") {
      members.append(("label", lists[names.count - 1]))
    }
    let columns = if let columns { columns } else { try Columns(path: path, names: members.map(\.0)) }
    self.columns = columns
    return Row(line: line, columns: columns, values: members.map(\.1))
  }

  /// The next line that is neither blank nor the beginning of a document.
  private func nextFilled() throws(TextError) -> (number: Int, cells: [String])? {
    while let line = try nextCells() {
      if !line.cells.isEmpty { return line }
    }
    return nil
  }

  /// The cells of the next line: between tabs where it has any, between spaces otherwise; none ends a sentence.
  private func nextCells() throws(TextError) -> (number: Int, cells: [String])? {
    guard let line = try lines.next() else { return nil }
    try lines.checkEnd(of: line)
    let bytes = line.trimmed
    let tab = UInt8(ascii: "\t")
    let parts =
      bytes.contains(tab)
      ? bytes.split(separator: tab, omittingEmptySubsequences: false)
      : bytes.split(separator: UInt8(ascii: " "))
    let cells = parts.map { String(String(decoding: $0, as: UTF8.self).withoutBlanksAround) }
    let isBlank = cells.allSatisfy(\.isEmpty) || cells[0] == "-DOCSTART-"
    return (line.number, isBlank ? [] : cells)
  }
}
