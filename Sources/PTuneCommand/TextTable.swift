/// Lines whose columns stand under each other.
struct TextTable {
  private let header: [String]
  private var rows: [[String]] = []

  init(_ header: String...) {
    self.init(header)
  }

  init(_ header: [String]) {
    self.header = header
  }

  mutating func add(_ cells: String...) {
    add(cells)
  }

  mutating func add(_ cells: [String]) {
    // A line feed in a cell would tear the table.
    rows.append(cells.map { cell in String(cell.map { $0.isNewline ? " " : $0 }) })
  }

  /// The header and the rows, two blanks between columns and none at the end.
  var lines: [String] {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      let padded = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      var line = padded.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

extension Output {
  /// Writes a table with its header set off.
  static func print(_ table: TextTable) {
    for (index, line) in table.lines.enumerated() {
      print(index == 0 ? paint(line, .bold, on: 1) : line)
    }
  }
}
