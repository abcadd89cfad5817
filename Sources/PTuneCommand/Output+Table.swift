import PTuneReport

extension Output {
  /// Writes a table with its header set off.
  static func print(_ table: TextTable) {
    for (index, line) in table.lines.enumerated() {
      print(index == 0 ? paint(line, .bold, on: 1) : line)
    }
  }
}
