import PTuneLibc
import PTuneReport
import PTuneTerminal
import PTuneVisibleText

/// Lines for people while a command works, and on a terminal one more line at the end that is drawn over.
///
/// Nothing that goes wrong here ends the command: who closes the terminal during a training wants its result.
final class Console {
  private let stream: Int32
  /// Whether the last line can be drawn over.
  let isLive: Bool
  private var drawn = 0

  /// A console on standard output or standard error.
  init(_ stream: Int32) {
    self.stream = stream
    isLive = isatty(stream) == 1 && Output.environment["TERM"] != "dumb"
  }

  /// Writes a line, or several.
  func line(_ text: String = "") {
    clear()
    _ = Output.write(Output.shown(text, on: stream) + "\n", to: stream)
  }

  /// Writes a table with its header set off.
  func table(_ table: TextTable) {
    for (index, text) in table.lines(width: tableWidth).enumerated() {
      line(index == 0 ? paint(text, .bold) : text)
    }
  }

  /// Draws over the last line: as many of the parts, from the first, as the terminal is wide.
  func redraw(_ parts: [String]) {
    guard isLive else { return }
    var text = ""
    for part in parts.map({ VisibleText.name($0) }) where text.count + part.count + 2 < width {
      text += text.isEmpty ? part : "  " + part
    }
    // Blanks rather than an escape sequence: every terminal knows them.
    _ = Output.write("\r" + text + String(repeating: " ", count: max(0, drawn - text.count)), to: stream)
    drawn = text.count
  }

  /// Takes the drawn line away.
  func clear() {
    guard drawn > 0 else { return }
    _ = Output.write("\r" + String(repeating: " ", count: drawn) + "\r", to: stream)
    drawn = 0
  }

  /// The text set off, if the stream can do that.
  func paint(_ text: String, _ paint: Output.Paint) -> String { Output.paint(text, paint, on: stream) }

  /// Columns that a table may take; any number where nobody's terminal is too narrow for it.
  var tableWidth: Int { Output.tableWidth(on: stream) }

  /// Columns of the terminal; it may change at any time.
  private var width: Int { Output.terminalWidth(of: stream) }
}
