/// Reads regular expressions in the dialect of the `tokenizers` package: Oniguruma's own syntax, with UTF-8.
///
/// Back references, calls of groups, conditions and `\K` are refused: no tokenizer needs them, and without them a
/// match takes linear time. In a look-behind each alternative has to match a fixed number of characters.
struct RegexParser {
  /// The pattern.
  let text: [UInt32]
  var position = 0
  /// `(?i)`.
  var ignoresCase = false
  /// `(?m)`: `.` matches line feeds, too.
  var dotMatchesAll = false
  /// `(?x)`: white space and comments do not count.
  var isExtended = false
  private var depth = 0

  /// How deep groups may be nested.
  static let deepest = 100
  /// How many characters a pattern may have.
  static let longest = 10_000
  /// How often a part may be repeated by count, as in Oniguruma.
  static let mostRepetitions = 100_000

  /// Parses a pattern.
  ///
  /// - Throws: ``RegexError`` with the place of what is wrong.
  static func parse(_ pattern: String) throws(RegexError) -> RegexNode {
    guard pattern.unicodeScalars.count <= longest else {
      throw RegexError(reason: "is longer than \(longest) characters", column: longest)
    }
    var parser = RegexParser(text: pattern.unicodeScalars.map(\.value))
    let node = try parser.alternatives()
    guard parser.position == parser.text.count else { throw parser.error("has a ')' without a '('") }
    return node
  }

  private init(text: [UInt32]) { self.text = text }

  /// An error at the place of the last character read, or at another one.
  func error(_ reason: String, at place: Int? = nil) -> RegexError {
    RegexError(reason: reason, column: (place ?? position) + 1)
  }

  // MARK: Characters

  func peek(_ ahead: Int = 0) -> UInt32? {
    position + ahead < text.count ? text[position + ahead] : nil
  }

  /// Whether the next characters are these.
  func sees(_ expected: String) -> Bool {
    text[position...].starts(with: expected.unicodeScalars.map(\.value))
  }

  /// Reads these characters if they come next.
  mutating func take(_ expected: String) -> Bool {
    guard sees(expected) else { return false }
    position += expected.unicodeScalars.count
    return true
  }

  mutating func next() -> UInt32? {
    guard let scalar = peek() else { return nil }
    position += 1
    return scalar
  }

  // MARK: Structure

  /// `a|b|…`, up to the end or a ')'.
  private mutating func alternatives() throws(RegexError) -> RegexNode {
    depth += 1
    guard depth <= Self.deepest else { throw error("nests groups deeper than \(Self.deepest)") }
    // An option without a group of its own, `(?i)`, holds to the end of the group it stands in.
    let options = (ignoresCase, dotMatchesAll, isExtended)
    defer {
      depth -= 1
      (ignoresCase, dotMatchesAll, isExtended) = options
    }
    var branches = [try sequence()]
    while take("|") { branches.append(try sequence()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence() throws(RegexError) -> RegexNode {
    var nodes: [RegexNode] = []
    while let scalar = peek(), scalar != "|", scalar != ")" {
      if isExtended, skipExtended() { continue }
      if take("(?#") {
        while let scalar = next(), scalar != ")" {}
        continue
      }
      if let options = try bareOptions() {
        // NB: what follows is a group of its own, alternatives included: `a(?i)b|c` is `a(?i:b|c)`.
        nodes.append(options)
        continue
      }
      nodes.append(try repetition(of: try atom()))
    }
    return nodes.count == 1 ? nodes[0] : .sequence(nodes)
  }

  private mutating func skipExtended() -> Bool {
    guard let scalar = peek() else { return false }
    if ScalarSet.spaces.contains(scalar) {
      position += 1
      return true
    }
    guard scalar == "#" else { return false }
    while let scalar = next(), scalar != "\n" {}
    return true
  }

  /// `(?i)` and what it holds for.
  private mutating func bareOptions() throws(RegexError) -> RegexNode? {
    guard sees("(?") else { return nil }
    var ahead = 2
    while let scalar = peek(ahead), "imx-".unicodeScalars.contains(where: { $0.value == scalar }) {
      ahead += 1
    }
    guard ahead > 2, peek(ahead) == ")" else { return nil }
    let options = (ignoresCase, dotMatchesAll, isExtended)
    position += 2
    try readOptions()
    position += 1
    let rest = try alternatives()
    (ignoresCase, dotMatchesAll, isExtended) = options
    return rest
  }

  /// The letters of `(?im-x`.
  private mutating func readOptions() throws(RegexError) {
    var isOn = true
    while let scalar = peek(), scalar != ")", scalar != ":" {
      switch scalar {
      case "-": isOn = false
      case "i": ignoresCase = isOn
      case "m": dotMatchesAll = isOn
      case "x": isExtended = isOn
      default: throw error("has an option that is not supported")
      }
      position += 1
    }
  }

  // MARK: Parts

  private mutating func atom() throws(RegexError) -> RegexNode {
    let place = position
    guard let scalar = next() else { throw error("ends too early") }
    switch scalar {
    case "(": return try group(from: place)
    case "[": return .set(try characterClass(from: place))
    case ".": return .set(dotMatchesAll ? .all : .notLineFeed)
    case "^": return .anchor(.lineBegin)
    case "$": return .anchor(.lineEnd)
    case "\\": return try escape(from: place)
    case "*", "+", "?": throw error("repeats nothing", at: place)
    default: return .set(literal(scalar))
    }
  }

  /// One character, in any case where case does not count.
  func literal(_ scalar: UInt32) -> ScalarSet {
    let set = ScalarSet(scalars: [scalar])
    return ignoresCase ? set.ignoringCase : set
  }

  private mutating func group(from place: Int) throws(RegexError) -> RegexNode {
    let options = (ignoresCase, dotMatchesAll, isExtended)
    defer { (ignoresCase, dotMatchesAll, isExtended) = options }
    var make: (RegexNode) -> RegexNode = { $0 }
    if take("?") {
      if take("=") {
        make = { .lookahead($0, isNegative: false) }
      } else if take("!") {
        make = { .lookahead($0, isNegative: true) }
      } else if take("<=") {
        make = { .lookbehind($0, isNegative: false) }
      } else if take("<!") {
        make = { .lookbehind($0, isNegative: true) }
      } else if take(">") {
        make = { .atomic($0) }
      } else if take("<") {
        while let scalar = next(), scalar != ">" {}
      } else if !take(":") {
        try readOptions()
        guard take(":") else { throw error("has a kind of group that is not supported", at: place) }
      }
    }
    let node = try alternatives()
    guard take(")") else { throw error("has no ')' for this '('", at: place) }
    if case .lookbehind(let inner, _) = make(node), !Self.hasFixedLengths(inner) {
      throw error("looks behind for something of no fixed length", at: place)
    }
    return make(node)
  }

  private static func hasFixedLengths(_ node: RegexNode) -> Bool {
    if case .alternatives(let nodes) = node { return nodes.allSatisfy { $0.length != nil } }
    return node.length != nil
  }
}

/// Lets a scalar's value be compared with characters in a pattern.
extension UInt32 {
  static func ~= (pattern: Unicode.Scalar, value: UInt32) -> Bool { pattern.value == value }
  static func ~= (pattern: ClosedRange<Unicode.Scalar>, value: UInt32) -> Bool {
    pattern.lowerBound.value <= value && value <= pattern.upperBound.value
  }
  static func == (value: UInt32, scalar: Unicode.Scalar) -> Bool { value == scalar.value }
  static func != (value: UInt32, scalar: Unicode.Scalar) -> Bool { value != scalar.value }
}

extension UInt32? {
  static func == (value: UInt32?, scalar: Unicode.Scalar) -> Bool { value == scalar.value }
}
