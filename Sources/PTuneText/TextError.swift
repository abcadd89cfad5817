import PTuneFormats

/// What can go wrong while reading data files and tokenizer files, as data; the wording is in
/// `TextError+Messages.swift`.
///
/// Lines, columns and bytes count from 1. A path of `-` is standard input.
public enum TextError: Error, Equatable, Sendable {
  /// The system refused to open or read the file.
  case unreadable(path: String, reason: String)
  /// A folder where a file should be, and which of its files could be meant.
  case folder(path: String, files: [String])
  /// A file in a format that is not read.
  case foreign(path: String, ForeignFormat)
  /// A compressed file that cannot be read.
  case compressed(path: String, method: String, problem: CompressionProblem)
  /// The extension says nothing about the format.
  case unknownFormat(path: String)
  /// The file has no bytes (or only a byte order mark).
  case emptyFile(path: String)
  /// The file has a header line and nothing after it.
  case noRows(path: String)
  /// The file starts with a UTF-16 byte order mark.
  case utf16(path: String)
  /// A byte that is not part of valid UTF-8; `byte` counts within the line.
  case invalidUTF8(path: String, line: Int, byte: Int)
  /// A NUL byte; `byte` counts within the line.
  case nulByte(path: String, line: Int, byte: Int)
  /// Lines that end with a carriage return alone.
  case carriageReturns(path: String)
  /// A line longer than any text: `limit` bytes were read without a newline.
  case lineTooLong(path: String, line: Int, limit: Int)
  /// A row with more or fewer fields than the header.
  case wrongColumnCount(path: String, line: Int, found: Int, expected: Int)
  /// A quoted CSV field that no quote closes; `line` is where it began.
  case unterminatedQuote(path: String, line: Int)
  /// A closing CSV quote followed by something other than a comma or the end of the line.
  case textAfterQuote(path: String, line: Int)
  /// Two columns with one name.
  case duplicateColumn(path: String, name: String)
  /// A column that the file (or, with `line`, that row) does not have.
  case missingColumn(path: String, line: Int?, name: String, columns: [String])
  /// A column of which this row has no value, or null.
  case noValue(path: String, line: Int, name: String)
  /// A list or an object where a text should be.
  case notText(path: String, line: Int, name: String)
  /// Text that is not JSON.
  case invalidJSON(path: String, line: Int, column: Int, reason: String)
  /// A JSON line that is not an object.
  case notAnObject(path: String, line: Int)
  /// A folder without a tokenizer file.
  case tokenizerMissing(folder: String, looked: [String])
  /// A GGUF file that cannot be read.
  case modelFile(GGUFError)
  /// A key that a tokenizer file must have.
  case missingKey(path: String, key: String)
  /// A value of the wrong type or out of range in a tokenizer file.
  case invalidValue(path: String, key: String, expected: String)
  /// A tokenizer part that this build does not implement.
  case unsupported(path: String, key: String, type: String, supported: [String])
  /// Special tokens alone fill the positions that are free.
  case noRoomForText(maximumLength: Int, specialTokens: Int)
  /// A template's own words and special tokens fill the positions that are free.
  case noRoomForTemplate(maximumLength: Int, own: Int)
  /// The text beside a window, with special tokens, leaves it no more tokens than it shares with the next one.
  case noRoomForWindow(maximumLength: Int, beside: Int, overlap: Int)

  /// What is wrong with a compressed file.
  public enum CompressionProblem: Equatable, Sendable {
    /// The system does not have the library that reads it.
    case library(String)
    /// What stands around this byte is none of the format's.
    case damaged(byte: Int)
    /// It ends too early.
    case truncated
    /// It grows to more than so many times its size.
    case growth(times: Int)
  }
}

extension TextError {
  /// Whether the file itself is the trouble, and not a place in it.
  package var isAboutFile: Bool {
    switch self {
    case .unreadable, .folder, .foreign, .compressed, .unknownFormat: true
    default: false
    }
  }
}
