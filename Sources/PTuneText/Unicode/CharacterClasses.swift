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

  private var table = ScalarTable()
  private var lowercaseRuns: [(first: UInt32, last: UInt32, stride: UInt32, delta: Int32)] = []
  private var combiningRuns: [(first: UInt32, last: UInt32, value: UInt8)] = []
  private(set) var decompositions = ScalarMapping()

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
    CharacterFlags(rawValue: table[scalar])
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
    for scalar in decompositions[scalar] { body(scalar) }
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
    table.set(flag.rawValue, runs: runs)
  }

  private mutating func add(_ flag: CharacterFlags, _ first: UInt32, _ last: UInt32) {
    table.set(flag.rawValue, first, last)
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

  private mutating func addDecompositions() {
    decompositions = ScalarMapping(UnicodeTables.decompositions)
    for scalar in decompositions.scalars { add(.decomposable, scalar, scalar) }
    add(.decomposable, 0xAC00, 0xD7A3)
  }
}
