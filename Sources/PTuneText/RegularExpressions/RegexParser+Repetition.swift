extension RegexParser {
  /// A part with the quantifiers behind it; several repeat one another.
  mutating func repetition(of atom: RegexNode) throws(RegexError) -> RegexNode {
    var node = atom
    var count = 0
    while let (least, most, isCount) = try quantifier() {
      count += 1
      guard count <= 8 else { throw error("repeats a part more than 8 times over") }
      if take("?") {
        // NB: in this dialect `a{3}?` is `(?:a{3})?`.
        node =
          isCount && least == most
          ? .repeated(.repeated(node, least: least, most: most, .greedy), least: 0, most: 1, .greedy)
          : .repeated(node, least: least, most: most, .lazy)
      } else if !isCount, take("+") {
        node = .repeated(node, least: least, most: most, .possessive)
      } else {
        node = .repeated(node, least: least, most: most, .greedy)
      }
    }
    return node
  }

  /// `*`, `+`, `?` or a count in braces; nil where none comes. Braces around anything else are plain characters.
  private mutating func quantifier() throws(RegexError) -> (least: Int, most: Int?, isCount: Bool)? {
    if take("*") { return (0, nil, false) }
    if take("+") { return (1, nil, false) }
    if take("?") { return (0, 1, false) }
    let place = position
    guard take("{") else { return nil }
    let least = try count()
    let hasComma = take(",")
    let most = hasComma ? try count() : least
    guard take("}"), least != nil || hasComma && most != nil else {
      position = place
      return nil
    }
    if let least, let most, least > most {
      throw error("repeats at least \(least) but at most \(most) times", at: place)
    }
    return (least ?? 0, most, true)
  }

  private mutating func count() throws(RegexError) -> Int? {
    let place = position
    var value: Int?
    while let scalar = peek(), scalar >= 0x30, scalar <= 0x39 {
      value = (value ?? 0) * 10 + Int(scalar - 0x30)
      position += 1
      guard value ?? 0 <= Self.mostRepetitions else {
        throw error("repeats more than \(Self.mostRepetitions) times", at: place)
      }
    }
    return value
  }
}
