extension RegexParser {
  // MARK: Escapes

  /// What a backslash begins outside of brackets.
  mutating func escape(from place: Int) throws(RegexError) -> RegexNode {
    guard let scalar = peek() else { throw error("ends with a backslash", at: place) }
    let anchor: RegexNode.Anchor? =
      switch scalar {
      case "A": .textBegin
      case "z": .textEnd
      case "Z": .lastLineEnd
      case "b": .wordBoundary
      case "B": .noWordBoundary
      default: nil
      }
    if let anchor {
      position += 1
      return .anchor(anchor)
    }
    if scalar == "R" {
      position += 1
      let feeds = ScalarSet([0x0A...0x0D, 0x85...0x85, 0x2028...0x2029])
      return .atomic(
        .alternatives([
          .sequence([.set(ScalarSet(scalars: [0x0D])), .set(ScalarSet(scalars: [0x0A]))]), .set(feeds),
        ]))
    }
    if let set = try escapedClass(from: place) { return .set(ignoresCase ? set.ignoringCase : set) }
    return .set(literal(try escapedScalar(from: place)))
  }

  /// `\d`, `\p{…}` and the like; nil for the escape of a single character.
  private mutating func escapedClass(
    from place: Int, inBrackets: Bool = false
  ) throws(RegexError) -> ScalarSet? {
    guard let scalar = peek() else { return nil }
    let word: ScalarSet = inBrackets ? .bracketedWordCharacters : .wordCharacters
    let set: ScalarSet? =
      switch scalar {
      case "d": .digits
      case "D": ScalarSet.digits.inverted
      case "w": word
      case "W": word.inverted
      case "s": .spaces
      case "S": ScalarSet.spaces.inverted
      case "h": .hexadecimalDigits
      case "H": ScalarSet.hexadecimalDigits.inverted
      case "N": .notLineFeed
      case "O": .all
      default: nil
      }
    if let set {
      position += 1
      return set
    }
    guard scalar == "p" || scalar == "P" else { return nil }
    position += 1
    guard take("{") else { throw error("has no '{' behind \\p", at: place) }
    let isInverted = take("^") != (scalar == "P")
    var name = ""
    while let scalar = next(), scalar != "}" { name.unicodeScalars.append(Unicode.Scalar(scalar) ?? "?") }
    return try known(name, ScalarSet.property(name), isInverted: isInverted, from: place)
  }

  private func known(
    _ name: String, _ set: ScalarSet?, isInverted: Bool, from place: Int
  ) throws(RegexError) -> ScalarSet {
    guard let set else {
      throw error("names a property of characters that is not known, '\(name)'", at: place)
    }
    return isInverted ? set.inverted : set
  }

  /// `\n`, `\x41`, `\x{1F600}`, `\u0041` or a character that stands for itself.
  private mutating func escapedScalar(from place: Int) throws(RegexError) -> UInt32 {
    guard let scalar = next() else { throw error("ends with a backslash", at: place) }
    switch scalar {
    case "t": return 0x09
    case "n": return 0x0A
    case "v": return 0x0B
    case "f": return 0x0C
    case "r": return 0x0D
    case "a": return 0x07
    case "e": return 0x1B
    case "u": return try hexadecimal(exactly: 4, from: place)
    case "x":
      guard take("{") else { return try hexadecimal(atMost: 2, from: place) }
      let value = try hexadecimal(atMost: 8, from: place)
      guard take("}") else { throw error("has no '}' behind \\x{", at: place) }
      return value
    case "0": return 0
    case "1"..."9", "k", "g", "K", "G", "X", "y", "Y", "c", "C", "M":
      throw error("has an escape that is not supported", at: place)
    default: return scalar
    }
  }

  private mutating func hexadecimal(exactly count: Int, from place: Int) throws(RegexError) -> UInt32 {
    let begin = position
    let value = try hexadecimal(atMost: count, from: place)
    guard position - begin == count else { throw error("needs \(count) hexadecimal digits", at: place) }
    return value
  }

  private mutating func hexadecimal(atMost count: Int, from place: Int) throws(RegexError) -> UInt32 {
    var value: UInt32 = 0
    var digits = 0
    while digits < count, let scalar = peek(),
      let digit = Unicode.Scalar(scalar).flatMap({ Character($0).hexDigitValue }),
      scalar < 128
    {
      value = value << 4 | UInt32(digit)
      digits += 1
      position += 1
    }
    guard digits > 0, value <= 0x10FFFF else { throw error("names no character", at: place) }
    return value
  }

  // MARK: Brackets

  /// `[…]`, whose '[' has been read.
  mutating func characterClass(from place: Int, depth: Int = 1) throws(RegexError) -> ScalarSet {
    guard depth <= Self.deepest else { throw error("nests brackets deeper than \(Self.deepest)", at: place) }
    let isInverted = take("^")
    var result: ScalarSet?
    var part = ScalarSet([])
    var isFirst = true
    while true {
      guard let scalar = peek() else { throw error("has no ']' for this '['", at: place) }
      if scalar == "]", !isFirst { break }
      isFirst = false
      if take("&&") {
        result = result.map { $0.intersection(part) } ?? part
        part = ScalarSet([])
        continue
      }
      part = part.union(try classItem(depth: depth))
    }
    position += 1
    var set = result.map { $0.intersection(part) } ?? part
    if ignoresCase { set = set.ignoringCase }
    return isInverted ? set.inverted : set
  }

  /// A nested class, an escape, a range or one character.
  private mutating func classItem(depth: Int) throws(RegexError) -> ScalarSet {
    let place = position
    if take("[:"), let set = try posixClass(from: place) { return set }
    position = place
    if take("[") { return try characterClass(from: place, depth: depth + 1) }
    if sees("\\") {
      position += 1
      if let set = try escapedClass(from: place, inBrackets: true) { return set }
      position = place
    }
    let first = try classScalar(from: place)
    guard peek() == "-", let after = peek(1), after != "]" else { return ScalarSet(scalars: [first]) }
    position += 1
    guard !sees("[") else { throw error("has a range that ends in a class", at: place) }
    if sees("\\") {
      let end = position
      position += 1
      guard try escapedClass(from: place) == nil else {
        throw error("has a range that ends in a class", at: place)
      }
      position = end
    }
    let last = try classScalar(from: place)
    guard first <= last else { throw error("has a range whose end is before its beginning", at: place) }
    return ScalarSet([first...last])
  }

  private mutating func classScalar(from place: Int) throws(RegexError) -> UInt32 {
    guard let scalar = next() else { throw error("has no ']' for this '['", at: place) }
    guard scalar == "\\" else { return scalar }
    if take("b") { return 0x08 }
    return try escapedScalar(from: place)
  }

  /// `[:alpha:]`, whose "[:" has been read; nil where it is none.
  private mutating func posixClass(from place: Int) throws(RegexError) -> ScalarSet? {
    let isInverted = take("^")
    var name = ""
    while let scalar = peek(), scalar >= 0x61, scalar <= 0x7A {
      name.unicodeScalars.append(Unicode.Scalar(scalar) ?? "?")
      position += 1
    }
    guard take(":]") else { return nil }
    return try known(name, ScalarSet.bracketProperty(name), isInverted: isInverted, from: place)
  }
}
