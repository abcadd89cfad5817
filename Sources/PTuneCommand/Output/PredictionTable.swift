import ArgumentParser
import PTuneFormats

/// Predictions as the lines of a table: the keys of the first one are the columns.
struct PredictionTable {
  /// How predictions are written.
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case jsonl, csv, tsv

    /// What a file's name says; nil for nothing.
    init?(path: String) {
      guard let dot = path.lastIndex(of: ".") else { return nil }
      self.init(rawValue: path[path.index(after: dot)...].lowercased())
    }

    /// Whether it has columns.
    var isTable: Bool { self != .jsonl }
  }

  private let format: Format
  private var columns: [String]?

  init(_ format: Format) { self.format = format }

  /// The line of a prediction, behind the header if it is the first.
  ///
  /// - Throws: ``CommandError`` for a prediction with a key that the first one did not have.
  mutating func lines(_ parts: [(key: String, json: String)]) throws -> [String] {
    let keys = parts.map(\.key)
    let isFirst = columns == nil
    let columns = self.columns ?? keys
    self.columns = columns
    if let other = keys.first(where: { !columns.contains($0) }) {
      throw CommandError.otherKey(other)
    }
    let cells = columns.map { column in parts.first { $0.key == column }.map { Self.text($0.json) } ?? "" }
    return (isFirst ? [line(columns)] : []) + [line(cells)]
  }

  /// A text as it is, everything else as JSON; nothing for null.
  private static func text(_ json: String) -> String {
    guard json.first == "\"" else { return json == "null" ? "" : json }
    return (try? JSONValue.parse(json))?.stringValue ?? json
  }

  private func line(_ cells: [String]) -> String {
    switch format {
    case .csv: cells.map(Self.quoted).joined(separator: ",")
    // TSV knows no quotes: what would break a line or a cell becomes a blank.
    default:
      cells.map { cell in String(cell.map { $0 == "\t" || $0.isNewline ? " " : $0 }) }.joined(separator: "\t")
    }
  }

  /// As RFC 4180 has it.
  private static func quoted(_ cell: String) -> String {
    let needsQuotes = cell.unicodeScalars.contains { $0 == "\"" || $0 == "," || $0 == "\n" || $0 == "\r" }
    return needsQuotes ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
  }
}
