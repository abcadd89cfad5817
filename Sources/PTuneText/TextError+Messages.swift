import PTune
import PTuneFormats

extension TextError: HelpfulError {
  /// What happened and where, as `file:line: what`.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "cannot read \(InputPath.shown(path)): \(reason)"
    case .folder(let path, _): "\(path) is a folder, not a file"
    case .foreign(let path, let format): "\(InputPath.shown(path)) is \(format.name), which is not read"
    case .compressed(let path, let method, let problem):
      "\(InputPath.shown(path)) is compressed with \(method)\(problem.text)"
    case .unknownFormat(let path): "cannot tell the format of \(InputPath.shown(path)) from its name"
    case .emptyFile(let path): "\(InputPath.shown(path)) is empty"
    case .noRows(let path): "\(InputPath.shown(path)) has a header but no rows"
    case .utf16(let path): "\(InputPath.shown(path)) is UTF-16 text, not UTF-8"
    case .invalidUTF8(let path, let line, let byte):
      "\(InputPath.shown(path)):\(line): byte \(byte) is not valid UTF-8"
    case .nulByte(let path, let line, let byte): "\(InputPath.shown(path)):\(line): byte \(byte) is NUL"
    case .carriageReturns(let path): "\(InputPath.shown(path)): its lines end with a carriage return alone"
    case .lineTooLong(let path, let line, let limit):
      "\(InputPath.shown(path)):\(line): the line is longer than \(limit) bytes"
    case .wrongColumnCount(let path, let line, let found, let expected):
      "\(InputPath.shown(path)):\(line): \(counted(found, "column")), but the first line has \(expected)"
    case .unterminatedQuote(let path, let line):
      "\(InputPath.shown(path)):\(line): the quoted field that starts here is never closed"
    case .textAfterQuote(let path, let line):
      "\(InputPath.shown(path)):\(line): text follows the closing quote of a field"
    case .duplicateColumn(let path, let name): "\(InputPath.shown(path)): two columns are named \"\(name)\""
    case .missingColumn(let path, let line, let name, let columns):
      "\(InputPath.shown(path))\(line.map { ":\($0)" } ?? ""): no column \"\(name)\"; it has \(quoted(columns))"
    case .noValue(let path, let line, let name): "\(InputPath.shown(path)):\(line): \"\(name)\" is null"
    case .notText(let path, let line, let name):
      "\(InputPath.shown(path)):\(line): \"\(name)\" is a list or an object, not a text"
    case .invalidJSON(let path, let line, let column, let reason):
      "\(InputPath.shown(path)):\(line):\(column): \(reason)"
    case .notAnObject(let path, let line): "\(InputPath.shown(path)):\(line): the line is not a JSON object"
    case .tokenizerMissing(let folder, let looked):
      "no tokenizer in \(folder): it has no \(alternatives(looked))"
    case .modelFile(let error): error.description
    case .missingKey(let path, let key): "\(path): \(key) is missing"
    case .invalidValue(let path, let key, let expected): "\(path): \(key) should be \(expected)"
    case .unsupported(let path, let key, let type, _):
      "\(path): \(key) is \"\(type)\", which is not supported"
    case .noRoomForText(let maximumLength, let specialTokens):
      "\(counted(maximumLength, "position")) cannot hold any text: special tokens alone take \(specialTokens)"
    case .noRoomForTemplate(let maximumLength, let own):
      "\(counted(maximumLength, "position")) cannot hold any text: the template's own words and special tokens "
        + "take \(own)"
    case .noRoomForWindow(let maximumLength, let beside, let overlap):
      "\(counted(maximumLength, "position")) leave a window \(max(0, maximumLength - beside)) tokens beside the other "
        + "text, and windows share \(overlap)"
    }
  }

  /// What to do about it, where there is something to do.
  public var help: String? {
    switch self {
    case .folder(_, let files):
      files.isEmpty
        ? "name a file: .tsv, .csv, .jsonl or another one that --format, or format:, says"
        : "name one of its files: \(quoted(files))"
    case .foreign(let path, let format): format.help(path)
    case .compressed(let path, let method, .library(let library)):
      "install \(library), or decompress the file: \(method == "gzip" ? "gunzip" : "zstd -d") \(path == InputPath.standardInput ? "FILE" : path)"
    case .compressed: "fetch the file again, or compress it again"
    case .unreadable: "check the path and its permissions"
    case .unknownFormat:
      "name the file .tsv, .txt, .csv, .jsonl, .json or .conll, or say which format it has: --format, or format: in a "
        + "run file"
    case .emptyFile, .noRows: "check that the file was written completely"
    case .utf16: "convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW"
    case .invalidUTF8: InvalidUTF8.help
    case .nulByte: "text files contain no NUL bytes; is this a binary or damaged file?"
    case .carriageReturns: "convert it: tr '\\r' '\\n' < FILE > NEW"
    case .lineTooLong: "is this a text file with one example per line?"
    case .wrongColumnCount:
      "columns are separated by one tab (.tsv, no quoting), one comma (.csv, RFC 4180) or blanks (.conll)"
    case .unterminatedQuote, .textAfterQuote: "inside a quoted field write a quote as two quotes: \"\""
    case .duplicateColumn: "rename one of them"
    case .missingColumn(_, _, let name, let columns): columnHelp(name, columns)
    case .noValue: "give the row a value, or remove it"
    case .notText: "name the column of the text, or write one text there"
    case .invalidJSON("-", _, _, _):
      "standard input is read as JSON lines; say what else it is: --format text for a text a line, or tsv, csv, conll"
    case .invalidJSON(_, _, 1, _):
      "a file of JSON has an object a line, or one list of objects; is the file's format what its name says?"
    case .invalidJSON: "the file may be truncated; fetch or write it again"
    case .notAnObject: "write one object per line, such as {\"text\": \"…\", \"label\": \"…\"}"
    case .tokenizerMissing: "copy the tokenizer files next to the model's weights"
    case .modelFile(let error): error.help
    case .missingKey, .invalidValue: "the file may be damaged or of another kind; fetch it again"
    case .unsupported(_, _, _, let supported): "supported here: \(supported.joined(separator: ", "))"
    case .noRoomForText: "use fewer virtual tokens or a larger maximum length"
    case .noRoomForTemplate: "use fewer virtual tokens, a larger maximum length or a shorter template"
    case .noRoomForWindow:
      "shorten the other text, reduce the overlap of windows, or use a larger maximum length"
    }
  }

  private func columnHelp(_ name: String, _ columns: [String]) -> String {
    if let near = Suggestion.nearest(name, among: columns) { return "did you mean \"\(near)\"?" }
    if columns.count == 1, columns[0].contains(where: { "\t,;".contains($0) }) {
      return "the first line is one column; does the file's format (tab or comma) match its name?"
    }
    return "name one of these columns, or add the column to the file"
  }
}

extension TextError.CompressionProblem {
  fileprivate var text: String {
    switch self {
    case .library(let library): ", and this machine has no \(library)"
    case .damaged(let byte): ", but damaged around byte \(byte)"
    case .truncated: ", but cut off"
    case .growth(let times): ", and what is in it is more than \(times) times as large, as no text is"
    }
  }
}

private func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

private func quoted(_ names: [String]) -> String {
  let first = names.prefix(20).map { "\"\($0)\"" }.joined(separator: ", ")
  return names.count > 20 ? "\(first) and \(names.count - 20) more" : first
}

private func alternatives(_ names: [String]) -> String { names.joined(separator: " and no ") }
