/// Data in a format that other programs read, told by what a file begins with.
public enum ForeignFormat: Equatable, Sendable {
  /// A spreadsheet, or another archive.
  case excel
  /// Apache Parquet.
  case parquet
  /// Apache Arrow's files and streams, as the datasets library keeps them.
  case arrow
  /// A Python pickle, or a file of torch.
  case pickle
  /// A PDF document.
  case pdf

  private static let marks: [(mark: [UInt8], format: ForeignFormat)] = [
    ([0x50, 0x4B, 0x03, 0x04], .excel), ([0xD0, 0xCF, 0x11, 0xE0], .excel), (Array("PAR1".utf8), .parquet),
    (Array("ARRO".utf8), .arrow), ([0xFF, 0xFF, 0xFF, 0xFF], .arrow), ([0x80, 0x02], .pickle),
    ([0x80, 0x03], .pickle), ([0x80, 0x04], .pickle), ([0x80, 0x05], .pickle), (Array("%PDF".utf8), .pdf),
  ]

  init?(_ start: some Collection<UInt8>) {
    guard let known = Self.marks.first(where: { start.starts(with: $0.mark) }) else { return nil }
    self = known.format
  }

  /// What it is called.
  var name: String {
    switch self {
    case .excel: "a spreadsheet or another archive"
    case .parquet: "a Parquet file"
    case .arrow: "an Arrow file"
    case .pickle: "a Python pickle"
    case .pdf: "a PDF document"
    }
  }

  /// How to make text of a file.
  func help(_ path: String) -> String {
    let source = path == InputPath.standardInput ? "FILE" : path
    func python(_ code: String) -> String { "convert it once: python3 -c \"\(code)\"" }
    let written = "to_json('rows.jsonl', orient='records', lines=True, force_ascii=False)"
    return switch self {
    case .excel: "save the sheet as CSV in UTF-8"
    case .parquet: python("import pandas; pandas.read_parquet('\(source)').\(written)")
    case .arrow:
      python(
        "from datasets import Dataset; Dataset.from_file('\(source)').to_json('rows.jsonl', force_ascii=False)"
      )
    case .pickle: "pickles can run code and are never read; write the rows as JSON lines or CSV"
    case .pdf: "write its text into a file, a row a line"
    }
  }
}
