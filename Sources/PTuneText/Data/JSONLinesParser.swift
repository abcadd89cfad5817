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
    do {
      var parser = JSONParser(line.bytes)
      guard parser.startsObject() else {
        _ = try parser.value()
        throw TextError.notAnObject(path: path, line: line.number)
      }
      try parser.members { name, value, range in
        names.append(name)
        values.append(Self.text(value, line.bytes[range]))
      }
      try parser.end()
    } catch let problem as JSONProblem {
      throw .invalidJSON(path: path, line: line.number, column: problem.offset + 1, reason: problem.reason)
    } catch let error as TextError {
      throw error
    } catch {
      throw .notAnObject(path: path, line: line.number)
    }
    if let columns, columns.names == names { return Row(line: line.number, columns: columns, values: values) }
    let columns = try Columns(path: path, names: names)
    self.columns = columns
    return Row(line: line.number, columns: columns, values: values)
  }

  private static func text(_ value: JSONValue, _ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
    switch value {
    case .null: nil
    case .string(let text): text
    default: String(decoding: bytes, as: UTF8.self)
    }
  }
}
