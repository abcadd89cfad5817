import PTuneLibc
import PTuneTerminal

extension Output {
  /// Writes a table with its header set off, as wide as the terminal.
  static func print(_ table: TextTable) {
    let width = tableWidth(on: STDOUT_FILENO)
    for (index, line) in table.lines(width: width).enumerated() {
      print(index == 0 ? paint(line, .bold, on: STDOUT_FILENO) : line)
    }
  }

  /// Columns that a table may take: any number where nobody's terminal is too narrow for it.
  static func tableWidth(on stream: Int32) -> Int { isatty(stream) == 1 ? terminalWidth(of: stream) : .max }

  /// Columns of a terminal, which may change at any time; COLUMNS has the last word.
  static func terminalWidth(of stream: Int32) -> Int {
    if let columns = environment["COLUMNS"].flatMap(Int.init), columns > 0 { return columns }
    var size = winsize()
    guard ioctl(stream, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
