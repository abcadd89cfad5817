import PTuneFormats

/// The columns of a file, shared by its rows.
public final class Columns: Sendable {
  /// The file; `-` is standard input.
  public let path: String
  /// The names in the file's order; `"1"`, `"2"`, … where the file has no header.
  public let names: [String]
  private let places: [String: Int]

  /// Columns with distinct names; of an empty name (a header may leave one) only the first is found by it.
  init(path: String, names: [String]) throws(TextError) {
    self.path = path
    self.names = names
    var places: [String: Int] = [:]
    for (place, name) in names.enumerated() {
      if places[name] == nil {
        places[name] = place
      } else if !name.isEmpty {
        throw .duplicateColumn(path: path, name: name)
      }
    }
    self.places = places
  }

  /// The place of a column, or nil.
  public func place(of name: String) -> Int? { places[name] }

  /// The place of a column that must be there.
  ///
  /// - Throws: `TextError.missingColumn`, which lists the columns and suggests the nearest.
  public func require(_ name: String) throws(TextError) -> Int {
    if let place = places[name] { return place }
    throw .missingColumn(path: path, line: nil, name: name, columns: names)
  }
}

/// One row of a data file.
public struct Row: Sendable {
  /// The line it begins on, from 1.
  public let line: Int
  /// The columns of the row; JSON lines may differ in theirs.
  public let columns: Columns
  /// One value a column: text as it stands in the file. In JSON lines strings are unescaped, null is nil, and
  /// every other value is its JSON text.
  public let values: [String?]
  /// The columns whose value is the text of a JSON value other than a string, by their places; empty where the file is not
  /// JSON.
  var jsonPlaces: Set<Int> = []

  /// The value of a column as JSON: a number stays one where the file is JSON; nil when the row has no such column or the
  /// value is null.
  public func json(_ name: String) -> String? {
    guard let place = columns.place(of: name), let value = values[place] else { return nil }
    return jsonPlaces.contains(place) ? value : JSONValue.string(value).text(.line)
  }

  /// The value of a column; nil when the row has no such column or the value is null.
  public subscript(name: String) -> String? { columns.place(of: name).flatMap { values[$0] } }

  /// The value of a column that must be there and not be null.
  ///
  /// - Throws: `TextError.missingColumn` with file and line.
  public func value(_ name: String) throws(TextError) -> String {
    if let value = self[name] { return value }
    let present = zip(columns.names, values).filter { $0.1 != nil }.map(\.0)
    throw .missingColumn(path: columns.path, line: line, name: name, columns: present)
  }
}
