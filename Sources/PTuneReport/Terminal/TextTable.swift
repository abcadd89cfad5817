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
  public var lines: [String] {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { displayWidth($0[column]) }.max() ?? 0 }
    return all.map { row in
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
