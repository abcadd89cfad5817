import PTuneFormats

/// Rows of JSON lines: the members of each object are its columns. A file that is one JSON list of objects is read, too.
struct JSONLinesParser: RowParser {
  let lines: LineReader
  let path: String
  /// Those of the row before; rows with the same members share them.
  private var columns: Columns?

  init(lines: LineReader, path: String) { (self.lines, self.path) = (lines, path) }

  /// The elements of the list that the file is; nil where it is none, or not known yet.
  private var elements: JSONElements?
  private var hasBegun = false

  mutating func next() throws(TextError) -> Row? {
    if elements != nil { return try nextElement() }
    while let line = try lines.next() {
      guard let first = line.bytes.first(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
      if !hasBegun, first == UInt8(ascii: "[") {
        elements = JSONElements(lines, path: path, first: line)
        return try nextElement()
      }
      hasBegun = true
      return try row(line)
    }
    return nil
  }

  private mutating func nextElement() throws(TextError) -> Row? {
    guard let element = try elements?.next() else { return nil }
    let row: Result<Row, TextError> = element.bytes.withUnsafeBufferPointer { bytes in
      do throws(TextError) {
        return .success(try self.row(Line(number: element.line, bytes: bytes)))
      } catch { return .failure(error) }
    }
    return try row.get()
  }

  private mutating func row(_ line: Line) throws(TextError) -> Row {
    var names: [String] = []
    var values: [String?] = []
    var jsonPlaces: Set<Int> = []
    var structured: Set<Int> = []
    let bytes = UnsafeRawBufferPointer(line.bytes)
    let isObject: Bool
    do throws(JSONError) {
      isObject = try JSONValue.parseMembers(bytes: bytes) { name, value, range in
        if value.arrayValue != nil || value.objectValue != nil { structured.insert(names.count) }
        names.append(name)
        if case .string = value {} else { jsonPlaces.insert(values.count) }
        values.append(Self.text(value, bytes[range]))
      }
    } catch {
      throw TextError(error, path: path, line: line.number, bytes: bytes)
    }
    guard isObject else { throw .notAnObject(path: path, line: line.number) }
    if let columns, columns.names == names {
      return Row(
        line: line.number, columns: columns, values: values, jsonPlaces: jsonPlaces, structured: structured)
    }
    let columns = try Columns(path: path, names: names)
    self.columns = columns
    return Row(
      line: line.number, columns: columns, values: values, jsonPlaces: jsonPlaces, structured: structured)
  }

  private static func text(_ value: JSONValue, _ bytes: Slice<UnsafeRawBufferPointer>) -> String? {
    switch value {
    case .null: nil
    case .string(let text): text
    default: String(decoding: bytes, as: UTF8.self)
    }
  }
}
