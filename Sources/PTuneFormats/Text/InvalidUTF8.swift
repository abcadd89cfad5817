import PTuneLibc

/// A text file with a byte that is not UTF-8.
public struct InvalidUTF8: HelpfulError, Equatable {
  /// The file, as the user named it.
  public let path: String
  /// The line of the first wrong byte, from 1.
  public let line: Int
  /// The byte within the line, from 1.
  public let byte: Int

  /// The error for the first wrong byte; nil if all bytes are UTF-8.
  public init?(_ bytes: UnsafeRawBufferPointer, path: String) {
    guard let invalid = UTF8Text.firstInvalid(bytes) else { return nil }
    let before = bytes[..<invalid]
    self.path = path
    line = before.count { $0 == UInt8(ascii: "\n") } + 1
    byte = invalid - (before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0) + 1
  }

  /// The place, in one line.
  public var description: String { "\(path):\(line): byte \(byte) of the line is not UTF-8" }

  /// What to do about it.
  public var help: String? { Self.help }

  /// What to do about any such file.
  public static let help = "convert the file to UTF-8: iconv -f ENCODING -t UTF-8 FILE > NEW"
}

extension MappedFile {
  /// The largest text that is read whole, in bytes: a sparse file may claim any size.
  public static let largestText = 1 << 30

  /// Maps a file of text.
  ///
  /// - Throws: `FileError`, EFBIG for one larger than ``largestText``.
  public convenience init(text path: String) throws(FileError) {
    try self.init(path)
    guard unsafeBytes.count <= Self.largestText else { throw FileError(.read, path, code: EFBIG) }
  }

  /// The whole content as text.
  ///
  /// - Throws: ``InvalidUTF8``.
  public func text() throws(InvalidUTF8) -> String {
    try withBytes { bytes throws(InvalidUTF8) in
      if let invalid = InvalidUTF8(bytes, path: path) { throw invalid }
      return String(decoding: bytes, as: UTF8.self)
    }
  }
}
