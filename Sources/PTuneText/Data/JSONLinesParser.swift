import PTuneFormats

/// Rows of JSON lines: the members of each object are its columns.
struct JSONLinesParser: RowParser {
  let lines: LineReader
  let path: String
  /// Those of the row before; rows with the same members share them.
  private var columns: Columns?

  init(lines: LineReader, path: String) { (self.lines, self.path) = (lines, path) }

  mutating func next() throws(TextError) -> Row? {
    while let line = try lines.next() {
      if !line.bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return try row(line) }
    }
    return nil
  }

  private mutating func row(_ line: Line) throws(TextError) -> Row {
    var names: [String] = []
    var values: [String?] = []
    var structured: Set<Int> = []
    let bytes = UnsafeRawBufferPointer(line.bytes)
    let isObject: Bool
    do throws(JSONError) {
      isObject = try JSONValue.parseMembers(bytes: bytes) { name, value, range in
        if value.arrayValue != nil || value.objectValue != nil { structured.insert(names.count) }
        names.append(name)
        values.append(Self.text(value, bytes[range]))
      }
    } catch {
      throw TextError(error, path: path, line: line.number, bytes: bytes)
    }
    guard isObject else { throw .notAnObject(path: path, line: line.number) }
    if let columns, columns.names == names {
      return Row(line: line.number, columns: columns, values: values, structured: structured)
    }
    let columns = try Columns(path: path, names: names)
    self.columns = columns
    return Row(line: line.number, columns: columns, values: values, structured: structured)
  }

  private static func text(_ value: JSONValue, _ bytes: Slice<UnsafeRawBufferPointer>) -> String? {
    switch value {
    case .null: nil
    case .string(let text): text
    default: String(decoding: bytes, as: UTF8.self)
    }
  }
}
