/// The classes that regular expressions name, with the Unicode version of the `tokenizers` package.
extension ScalarSet {
  /// `\p{L}`.
  static let letters = ScalarSet(table: WordTables.letters)
  /// `\p{N}`.
  static let numbers = ScalarSet(table: WordTables.numbers)
  /// `\s`.
  static let spaces = ScalarSet(table: WordTables.spaces)
  /// `\d`: decimal digits.
  static let digits = properties["nd"] ?? ScalarSet([])
  /// `\w`: letters, marks, decimal digits and connecting punctuation.
  static let wordCharacters = properties["word"] ?? ScalarSet([])
  /// `\w` within brackets, which as in the package lacks superscript digits and fractions of Latin-1.
  static let bracketedWordCharacters = bracketProperty("word") ?? ScalarSet([])
  /// `\h`: hexadecimal digits.
  static let hexadecimalDigits = ScalarSet([0x30...0x39, 0x41...0x46, 0x61...0x66])
  /// What `.` matches: everything but a line feed.
  static let notLineFeed = ScalarSet([0x0A...0x0A]).inverted

  /// The set of `[[:name:]]`; nil for a name that is not known.
  static func bracketProperty(_ name: String) -> ScalarSet? { properties["[:\(name):]"] ?? property(name) }

  /// The set of `\p{name}`; nil for a name that is not known. Case, spaces, `_` and `-` do not count.
  static func property(_ name: String) -> ScalarSet? {
    properties[folded(name)]
  }

  /// The names that ``property(_:)`` knows, for messages.
  static var propertyNames: [String] { properties.keys.sorted() }

  private static func folded(_ name: String) -> String {
    String(name.lowercased().filter { $0 != " " && $0 != "_" && $0 != "-" })
  }

  private static let properties: [String: ScalarSet] = {
    var sets: [String: ScalarSet] = ["any": .all]
    for line in PropertyTables.runs.description.split(separator: "\n") {
      let words = line.split(separator: " ")
      sets[String(words[0])] = ScalarSet(
        words.dropFirst().map { word in
          let ends = word.split(separator: "-").compactMap { UInt32($0, radix: 16) }
          return ends[0]...ends[ends.count - 1]
        })
    }
    // The general categories of one letter are made of those with two.
    for category in "clmnpsz" {
      let parts = sets.filter { $0.key.count == 2 && $0.key.first == category }
      sets[String(category)] = ScalarSet(parts.values.flatMap(\.runs))
    }
    return sets
  }()
}

extension ScalarSet {
  /// The set and every scalar that differs from one of its own in case alone, as `(?i)` compares them.
  var ignoringCase: ScalarSet {
    let folding = CaseFolding.shared
    // A class of nearly everything, such as `[^\r\n]`, is no smaller than what folding could add.
    let members =
      runs.reduce(0) { $0 + $1.count } > 0x8000 ? folding.cased.filter(contains) : runs.flatMap { Array($0) }
    return union(ScalarSet(scalars: members.flatMap(folding.variants)))
  }
}

/// Which scalars are equal but for case: those with the same lower-case scalar, and a few pairs beside
/// (CaseFolding.txt, statuses C and S).
private struct CaseFolding: Sendable {
  static let shared = CaseFolding()

  /// By its folded scalar, all that fold to it.
  private let classes: [UInt32: [UInt32]]
  private let folds: [UInt32: UInt32]

  /// Every scalar that another one equals but for case.
  var cased: [UInt32] { Array(folds.keys) }

  private init() {
    var folds: [UInt32: UInt32] = [:]
    for pair in PropertyTables.caseFolding.description.split(whereSeparator: \.isWhitespace) {
      let ends = pair.split(separator: "=").compactMap { UInt32($0, radix: 16) }
      folds[ends[0]] = ends[1]
    }
    var classes: [UInt32: [UInt32]] = [:]
    for (scalar, fold) in folds { classes[fold, default: [fold]].append(scalar) }
    for fold in classes.keys { folds[fold] = fold }
    (self.classes, self.folds) = (classes, folds)
  }

  func variants(of scalar: UInt32) -> [UInt32] { folds[scalar].flatMap { classes[$0] } ?? [] }
}
