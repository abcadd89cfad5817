/// Rows of text whose columns stand under each other, for a terminal.
public struct TextTable: Sendable {
  /// On which side of its column a cell stands.
  public enum Alignment: Sendable {
    /// At the left edge, as texts do.
    case leading
    /// At the right edge, as numbers do.
    case trailing
  }

  private let header: [String]
  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// A table without rows.
  ///
  /// - Parameters:
  ///   - header: the columns' names.
  ///   - alignments: how cells stand, per column; columns beyond its end are leading.
  public init(_ header: [String], alignments: [Alignment] = []) {
    self.header = header.map(Self.onOneLine)
    self.alignments = header.indices.map { $0 < alignments.count ? alignments[$0] : .leading }
  }

  /// A table without rows whose cells stand at the left.
  public init(_ header: String...) { self.init(header) }

  /// Adds a row; cells that are missing are empty, and cells beyond the header are left out.
  public mutating func add(_ cells: [String]) {
    rows.append(header.indices.map { $0 < cells.count ? Self.onOneLine(cells[$0]) : "" })
  }

  /// Adds a row.
  public mutating func add(_ cells: String...) { add(cells) }

  /// The header and the rows, two blanks between columns and none at the end of a line.
  public var lines: [String] { laidOut([header] + rows, widths: widths) }

  /// The same in lines of at most so many cells: the widest of the columns at the left edge are made narrower, and what
  /// their cells hold goes on below. A table with many columns may stay wider.
  public func lines(width: Int) -> [String] {
    let narrow = widths(within: width)
    guard narrow != widths else { return lines }
    let wrapped = ([header] + rows).flatMap { row -> [[String]] in
      let cells = zip(row, narrow).map { wrappedLines($0, width: $1) }
      return (0..<(cells.map(\.count).max() ?? 0)).map { line in
        cells.map { line < $0.count ? $0[line] : "" }
      }
    }
    return laidOut(wrapped, widths: narrow)
  }

  /// How many cells a line takes.
  public var width: Int { Self.total(widths) }

  /// How many cells a line takes at least, where columns are made narrower.
  public var leastWidth: Int { Self.total(widths(within: 0)) }

  private var widths: [Int] {
    header.indices.map { column in ([header] + rows).map { displayWidth($0[column]) }.max() ?? 0 }
  }

  private static func total(_ widths: [Int]) -> Int {
    widths.reduce(0, +) + 2 * max(0, widths.count - 1)
  }

  /// A column of text is not made narrower than this.
  private static let leastTextWidth = 12

  /// How narrow a column may become: no name in it is broken, but paths and names of several parts between these.
  private func leastWidth(of column: Int) -> Int {
    ([header] + rows).reduce(Self.leastTextWidth) { width, row in
      row[column].split(separator: " ").flatMap { unbreakableParts(String($0)) }.reduce(width) {
        max($0, displayWidth($1))
      }
    }
  }

  private func widths(within width: Int) -> [Int] {
    var widths = widths
    guard Self.total(widths) > width else { return widths }
    let least = header.indices.map { alignments[$0] == .leading ? leastWidth(of: $0) : .max }
    while Self.total(widths) > width {
      let narrowable = widths.indices.filter { widths[$0] > least[$0] }
      guard let widest = narrowable.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
    }
    return widths
  }

  private func laidOut(_ all: [[String]], widths: [Int]) -> [String] {
    all.map { row in
      let padded = row.indices.map { column in
        let padding = String(repeating: " ", count: widths[column] - displayWidth(row[column]))
        return alignments[column] == .leading ? row[column] + padding : padding + row[column]
      }
      var line = padded.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// A line feed in a cell would tear the table.
  private static func onOneLine(_ cell: String) -> String {
    String(cell.map { $0.isNewline ? " " : $0 })
  }
}
