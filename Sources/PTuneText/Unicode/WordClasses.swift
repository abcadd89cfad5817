import PTuneFormats

/// The classes of a scalar that splitting text into words asks for.
struct WordClass: OptionSet {
  let rawValue: UInt8

  /// `\p{L}`.
  static let letter = WordClass(rawValue: 1)
  /// `\p{N}`.
  static let number = WordClass(rawValue: 2)
  /// `\s`.
  static let space = WordClass(rawValue: 4)
  /// What `Digits` sets apart: `\p{N}` of a later Unicode version.
  static let digit = WordClass(rawValue: 8)
  /// Marks, spacing ones among them.
  static let mark = WordClass(rawValue: 16)
}

/// Classes by scalar, built once from `WordTables`.
struct WordClasses: Sendable {
  static let shared = WordClasses()

  private var table = ScalarTable()
  private var ascii: [UInt8]

  private init() {
    table.set(WordClass.letter.rawValue, runs: WordTables.letters)
    table.set(WordClass.number.rawValue, runs: WordTables.numbers)
    table.set(WordClass.space.rawValue, runs: WordTables.spaces)
    table.set(WordClass.digit.rawValue, runs: WordTables.digits)
    table.set(WordClass.mark.rawValue, runs: WordTables.marks)
    let table = table
    ascii = (0..<128).map { table[$0] }
  }

  /// The classes of a scalar.
  @inline(__always)
  subscript(scalar: UInt32) -> WordClass { WordClass(rawValue: table[scalar]) }

  /// The classes of the character that begins at `position`, and its length.
  @inline(__always)
  func read(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> (class: WordClass, length: Int) {
    let byte = bytes[position]
    if byte < 0x80 { return (WordClass(rawValue: ascii[Int(byte)]), 1) }
    let (scalar, length, _) = UTF8Text.scalar(bytes, position)
    return (self[scalar], length)
  }
}
