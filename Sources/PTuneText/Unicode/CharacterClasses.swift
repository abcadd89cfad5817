/// The properties of a scalar that text normalization and splitting ask for.
struct CharacterFlags: OptionSet {
  let rawValue: UInt8

  /// Dropped by `clean_text`.
  static let removed = CharacterFlags(rawValue: 1)
  static let whitespace = CharacterFlags(rawValue: 2)
  /// Set apart by `handle_chinese_chars`.
  static let ideograph = CharacterFlags(rawValue: 4)
  /// A nonspacing mark, dropped by `strip_accents`.
  static let nonspacing = CharacterFlags(rawValue: 8)
  static let punctuation = CharacterFlags(rawValue: 16)
  /// Has a lower-case form other than itself.
  static let hasLowercase = CharacterFlags(rawValue: 32)
  /// Has a canonical decomposition.
  static let decomposable = CharacterFlags(rawValue: 64)
  /// Has a canonical combining class other than 0.
  static let combining = CharacterFlags(rawValue: 128)
}

/// Flags, lower-case forms, decompositions and combining classes by scalar, built once from `UnicodeTables`.
struct CharacterClasses: Sendable {
  static let shared = CharacterClasses()

  /// 256 flags for each page of code points; pages of equal content that came as one run share their storage.
  private var flags: [UInt8] = Array(repeating: 0, count: 256)
  private var pages: [UInt16] = Array(repeating: 0, count: 0x1100)
  /// Which pages of flags stand for more than one page of code points and are copied before they are written.
  private var isShared = [true]
  private var lowercaseRuns: [(first: UInt32, last: UInt32, stride: UInt32, delta: Int32)] = []
  private var combiningRuns: [(first: UInt32, last: UInt32, value: UInt8)] = []
  private var decomposed: [(scalar: UInt32, begin: UInt32, end: UInt32)] = []
  private var decompositionScalars: [UInt32] = []

  private init() {
    add(.removed, UnicodeTables.removed)
    add(.whitespace, UnicodeTables.whitespace)
    add(.ideograph, UnicodeTables.ideograph)
    add(.nonspacing, UnicodeTables.nonspacing)
    add(.punctuation, UnicodeTables.punctuation)
    addLowercase()
    addCombiningClasses()
    addDecompositions()
  }

  /// The flags of a scalar.
  @inline(__always)
  func flags(_ scalar: UInt32) -> CharacterFlags {
    CharacterFlags(rawValue: flags[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)])
  }

  /// The lower-case form; U+0130, the one scalar that has two, is left to the caller.
  func lowercase(_ scalar: UInt32) -> UInt32 {
    let run = lowercaseRuns[lastRun(of: lowercaseRuns.count) { lowercaseRuns[$0].first <= scalar }]
    return UInt32(truncatingIfNeeded: Int64(scalar) + Int64(run.delta))
  }

  /// The canonical combining class of a scalar that has the flag `combining`.
  func combiningClass(_ scalar: UInt32) -> UInt8 {
    combiningRuns[lastRun(of: combiningRuns.count) { combiningRuns[$0].first <= scalar }].value
  }

  /// Hands over the full canonical decomposition of a scalar that has the flag `decomposable`.
  func decompose(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    if (0xAC00...0xD7A3).contains(scalar) { return decomposeHangul(scalar, body) }
    let entry = decomposed[lastRun(of: decomposed.count) { decomposed[$0].scalar <= scalar }]
    for index in entry.begin..<entry.end { body(decompositionScalars[Int(index)]) }
  }

  /// Unicode 3.12: a syllable is a leading consonant, a vowel and perhaps a trailing consonant, by arithmetic.
  private func decomposeHangul(_ scalar: UInt32, _ body: (UInt32) -> Void) {
    let index = scalar - 0xAC00
    body(0x1100 + index / 588)
    body(0x1161 + index % 588 / 28)
    if index % 28 != 0 { body(0x11A7 + index % 28) }
  }

  /// The last of `count` ascending runs that begins at or before the scalar in question.
  @inline(__always)
  private func lastRun(of count: Int, beginsBefore: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if beginsBefore(middle) { low = middle } else { high = middle }
    }
    return low
  }
}

extension CharacterClasses {
  private mutating func add(_ flag: CharacterFlags, _ runs: [UInt32]) {
    for index in stride(from: 0, to: runs.count, by: 2) { add(flag, runs[index], runs[index + 1]) }
  }

  private mutating func add(_ flag: CharacterFlags, _ first: UInt32, _ last: UInt32) {
    /// Whole untouched pages of this run share one page of flags.
    var uniform: UInt16?
    for page in Int(first >> 8)...Int(last >> 8) {
      let begin = Swift.max(Int(first), page << 8)
      let end = Swift.min(Int(last), page << 8 | 0xFF)
      let whole = end - begin == 0xFF && pages[page] == 0
      if whole, let uniform {
        pages[page] = uniform
        isShared[Int(uniform)] = true
        continue
      }
      if isShared[Int(pages[page])] {
        let old = Int(pages[page]) << 8
        pages[page] = UInt16(isShared.count)
        isShared.append(false)
        flags.append(contentsOf: flags[old..<old + 256])
      }
      let base = Int(pages[page]) << 8
      for scalar in begin...end { flags[base | scalar & 0xFF] |= flag.rawValue }
      if whole { uniform = pages[page] }
    }
  }

  private mutating func addLowercase() {
    let table = UnicodeTables.lowercase
    for index in stride(from: 0, to: table.count, by: 4) {
      let (first, last) = (UInt32(table[index]), UInt32(table[index + 1]))
      lowercaseRuns.append((first, last, UInt32(table[index + 2]), table[index + 3]))
      for scalar in Swift.stride(from: first, through: last, by: Int(table[index + 2])) {
        add(.hasLowercase, scalar, scalar)
      }
    }
    add(.hasLowercase, 0x130, 0x130)
  }

  private mutating func addCombiningClasses() {
    let table = UnicodeTables.combiningClasses
    for index in stride(from: 0, to: table.count, by: 3) {
      combiningRuns.append((table[index], table[index + 1], UInt8(table[index + 2])))
      add(.combining, table[index], table[index + 1])
    }
    combiningRuns.sort { $0.first < $1.first }
  }

  /// Reads `scalar=first.second…` words separated by spaces.
  private mutating func addDecompositions() {
    var (number, scalar) = (UInt32(0), UInt32(0))
    var begin = 0
    let text = UnicodeTables.decompositions
    for position in 0...text.utf8CodeUnitCount {
      let byte = position < text.utf8CodeUnitCount ? text.utf8Start[position] : UInt8(ascii: " ")
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt32(byte - 0x30)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): number = number << 4 | UInt32(byte - 0x37)
      case UInt8(ascii: "="): (scalar, number) = (number, 0)
      case UInt8(ascii: "."):
        decompositionScalars.append(number)
        number = 0
      default:
        decompositionScalars.append(number)
        number = 0
        decomposed.append((scalar, UInt32(begin), UInt32(decompositionScalars.count)))
        begin = decompositionScalars.count
        add(.decomposable, scalar, scalar)
      }
    }
    add(.decomposable, 0xAC00, 0xD7A3)
  }
}
