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

  /// The place of a column, or nil. Blanks around a name do not count where no column has it with them.
  public func place(of name: String) -> Int? { places[name] ?? places[String(name.withoutBlanksAround)] }

  /// The place of a column that must be there.
  ///
  /// - Throws: `TextError.missingColumn`, which lists the columns and suggests the nearest.
  public func require(_ name: String) throws(TextError) -> Int {
    if let place = place(of: name) { return place }
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
  let jsonPlaces: Set<Int>
  /// Those of them that are lists or objects.
  let structured: Set<Int>

  init(
    line: Int, columns: Columns, values: [String?], jsonPlaces: Set<Int> = [], structured: Set<Int> = []
  ) {
    (self.line, self.columns, self.values) = (line, columns, values)
    (self.jsonPlaces, self.structured) = (jsonPlaces, structured)
  }

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
    if columns.place(of: name) != nil { throw .noValue(path: columns.path, line: line, name: name) }
    let present = zip(columns.names, values).filter { $0.1 != nil }.map(\.0)
    throw .missingColumn(path: columns.path, line: line, name: name, columns: present)
  }

  /// Whether a column holds a list or an object.
  public func isList(_ name: String) -> Bool { columns.place(of: name).map(structured.contains) ?? false }

  /// The value of a column that is to be read as a text; nil when the row has no such column or the value is null.
  ///
  /// - Throws: `TextError.notText` for a list or an object.
  public func text(_ name: String) throws(TextError) -> String? {
    guard let place = columns.place(of: name) else { return nil }
    if structured.contains(place) { throw .notText(path: columns.path, line: line, name: name) }
    return values[place]
  }
}

extension StringProtocol {
  /// Without what spreadsheets and editors leave around a cell: white space of any kind, byte order marks.
  public var withoutBlanksAround: SubSequence {
    func isBlank(_ character: Unicode.Scalar) -> Bool {
      character.properties.isWhitespace || character == "\u{FEFF}" || character == "\u{200B}"
    }
    let scalars = unicodeScalars
    guard let first = scalars.firstIndex(where: { !isBlank($0) }),
      let last = scalars.lastIndex(where: { !isBlank($0) })
    else { return self[endIndex...] }
    return self[first..<scalars.index(after: last)]
  }
}
