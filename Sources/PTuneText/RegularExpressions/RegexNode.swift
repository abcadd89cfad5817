/// A regular expression as a tree.
indirect enum RegexNode: Equatable, Sendable {
  /// How often a repetition goes on where more than one way matches.
  enum Greed: Equatable, Sendable {
    /// As often as possible, giving back what the rest needs.
    case greedy
    /// As seldom as possible.
    case lazy
    /// As often as possible, giving nothing back.
    case possessive
  }

  /// A place in the text that takes no characters.
  enum Anchor: Equatable, Sendable {
    /// `\A`.
    case textBegin
    /// `\z`.
    case textEnd
    /// `\Z`: the end, or before a line feed that ends the text.
    case lastLineEnd
    /// `^`.
    case lineBegin
    /// `$`.
    case lineEnd
    /// `\b`.
    case wordBoundary
    /// `\B`.
    case noWordBoundary
  }

  /// One character of a set.
  case set(ScalarSet)
  /// One after the other; empty for the expression that matches nothing but the empty text.
  case sequence([RegexNode])
  /// The first that leads to a match.
  case alternatives([RegexNode])
  /// Repeated between so many times and at most so many; nil for without a limit.
  case repeated(RegexNode, least: Int, most: Int?, Greed)
  /// `(?>…)`: the first match alone counts.
  case atomic(RegexNode)
  /// `(?=…)` and `(?!…)`.
  case lookahead(RegexNode, isNegative: Bool)
  /// `(?<=…)` and `(?<!…)`.
  case lookbehind(RegexNode, isNegative: Bool)
  /// A place.
  case anchor(Anchor)

  /// Whether it may match the empty text.
  var isNullable: Bool {
    switch self {
    case .set: false
    case .sequence(let nodes): nodes.allSatisfy(\.isNullable)
    case .alternatives(let nodes): nodes.contains(where: \.isNullable)
    case .repeated(let node, let least, _, _): least == 0 || node.isNullable
    case .atomic(let node): node.isNullable
    case .lookahead, .lookbehind, .anchor: true
    }
  }

  /// How many characters it matches, if always the same number; nil otherwise.
  var length: Int? {
    switch self {
    case .set: 1
    case .sequence(let nodes):
      nodes.reduce(0) { sum, node in sum.flatMap { sum in node.length.map { sum + $0 } } }
    case .alternatives(let nodes):
      nodes.dropFirst().allSatisfy { $0.length == nodes[0].length } ? nodes[0].length : nil
    case .repeated(let node, let least, let most, _):
      least == most ? node.length.map { $0 * least } : nil
    case .atomic(let node): node.length
    case .lookahead, .lookbehind, .anchor: 0
    }
  }
}

/// What is wrong with the text of a regular expression.
struct RegexError: Error, Equatable, Sendable {
  /// What is wrong: "has no ')' for this '('".
  let reason: String
  /// Where, in characters from 1.
  let column: Int
}
