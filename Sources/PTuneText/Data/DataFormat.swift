import PTuneFormats

/// How a data file is laid out.
public enum DataFormat: String, Sendable, CaseIterable {
  /// Fields separated by tabs, without quoting, as in GLUE.
  case tsv
  /// Fields separated by commas, quoted where needed (RFC 4180).
  case csv
  /// One JSON object a line.
  case jsonl
  /// One text a line and nothing else, in a column named `text`; a blank line is an empty text.
  case text
  /// A token a line in columns, sentences set apart by blank lines, as in CoNLL-2003.
  case conll
  /// Questions about paragraphs, one JSON document, as in SQuAD 1.1 and 2.0.
  case squad

  /// The format that a file's extension says: .tsv and .txt, .csv, .jsonl and .json, .conll.
  ///
  /// - Throws: `TextError.unknownFormat` for another extension, and for standard input (`-`).
  public init(path: String) throws(TextError) {
    var name = path.split(separator: "/").last.map(String.init) ?? path
    // A compressed file is called after what is in it: reviews.tsv.gz.
    for ending in [".gz", ".zst"] where name.lowercased().hasSuffix(ending) { name.removeLast(ending.count) }
    switch name.split(separator: ".", omittingEmptySubsequences: false).last?.lowercased() {
    case "tsv", "txt": self = .tsv
    case "csv": self = .csv
    case "jsonl", "json": self = .jsonl
    case "conll": self = .conll
    default: throw .unknownFormat(path: path)
    }
  }
}

extension DataFormat {
  /// The names of a folder's files that can be read, sorted; for messages.
  static func files(in folder: String) -> [String] {
    ((try? FileSystem.entries(of: folder)) ?? []).sorted().filter { name in
      (try? DataFormat(path: name)) != nil && FileSystem.isFile(FilePath.join(folder, name))
    }
  }
}
