/// Fields of one record and the line it begins on.
struct Record {
  let line: Int
  let fields: [String]

  /// A line with nothing on it, or one of nothing but separators and blanks, as spreadsheets leave behind.
  var isBlank: Bool {
    fields.count == 1 ? fields[0].isEmpty : fields.allSatisfy { $0.withoutBlanksAround.isEmpty }
  }
}

/// Cuts lines into the fields of records.
protocol RecordSource {
  func next() throws(TextError) -> Record?
}

/// Rows of TSV and CSV: names the columns and checks that all records have as many fields.
struct SeparatedParser<Records: RecordSource>: RowParser {
  let records: Records
  let path: String
  let header: Bool
  private var columns: Columns?

  init(records: Records, path: String, header: Bool) {
    (self.records, self.path, self.header) = (records, path, header)
  }

  mutating func next() throws(TextError) -> Row? {
    if columns == nil, header {
      guard let record = try nextFilled() else { return nil }
      columns = try Columns(path: path, names: record.fields.map { String($0.withoutBlanksAround) })
    }
    guard let record = columns?.names.count == 1 ? try records.next() : try nextFilled() else { return nil }
    let columns = try columns(for: record)
    guard record.fields.count == columns.names.count else {
      throw .wrongColumnCount(
        path: path, line: record.line, found: record.fields.count, expected: columns.names.count)
    }
    return Row(line: record.line, columns: columns, values: record.fields)
  }

  /// Those of the header or, without one, numbers for the fields of the first record.
  private mutating func columns(for record: Record) throws(TextError) -> Columns {
    if let columns { return columns }
    let numbered = try Columns(path: path, names: record.fields.indices.map { String($0 + 1) })
    columns = numbered
    return numbered
  }

  private func nextFilled() throws(TextError) -> Record? {
    while let record = try records.next() {
      if !record.isBlank { return record }
    }
    return nil
  }
}

/// Tab-separated fields, taken as they stand.
struct TSVRecords: RecordSource {
  let lines: LineReader

  func next() throws(TextError) -> Record? {
    guard let line = try lines.next() else { return nil }
    try lines.checkEnd(of: line)
    let fields = line.trimmed.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
    return Record(line: line.number, fields: fields.map { String(decoding: $0, as: UTF8.self) })
  }
}

/// Comma-separated fields as RFC 4180 has them. A quote inside a field that does not begin with one stands for itself.
struct CSVRecords: RecordSource {
  let lines: LineReader

  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")

  func next() throws(TextError) -> Record? {
    guard let line = try lines.next() else { return nil }
    try lines.checkEnd(of: line)
    let begin = line.number
    var (bytes, number) = (line.bytes, line.number)
    var fields: [String] = []
    var position = 0
    while true {
      if position < bytes.count, bytes[position] == Self.quote {
        fields.append(try quoted(&bytes, &position, &number))
        let end =
          position == bytes.count || position == bytes.count - 1 && bytes[position] == UInt8(ascii: "\r")
        if end { return Record(line: begin, fields: fields) }
        guard bytes[position] == Self.comma else { throw .textAfterQuote(path: lines.path, line: number) }
      } else {
        let end = bytes[position...].firstIndex(of: Self.comma) ?? bytes.count
        let isLast = end == bytes.count
        let field = bytes[position..<end]
        let text = isLast && field.last == UInt8(ascii: "\r") ? field.dropLast() : field
        fields.append(String(decoding: text, as: UTF8.self))
        if isLast { return Record(line: begin, fields: fields) }
        position = end
      }
      position += 1
    }
  }

  /// A field from its opening quote on; leaves `position` behind the closing one, perhaps lines further down.
  private func quoted(
    _ bytes: inout UnsafeBufferPointer<UInt8>, _ position: inout Int, _ number: inout Int
  ) throws(TextError) -> String {
    let begin = number
    var text: [UInt8] = []
    position += 1
    while true {
      guard let quote = bytes[position...].firstIndex(of: Self.quote) else {
        text.append(contentsOf: bytes[position...])
        text.append(UInt8(ascii: "\n"))
        guard text.count <= lines.limit, let line = try lines.next() else {
          throw .unterminatedQuote(path: lines.path, line: begin)
        }
        (bytes, number, position) = (line.bytes, line.number, 0)
        continue
      }
      text.append(contentsOf: bytes[position..<quote])
      position = quote + 1
      guard position < bytes.count, bytes[position] == Self.quote else {
        return String(decoding: text, as: UTF8.self)
      }
      text.append(Self.quote)
      position += 1
    }
  }
}
