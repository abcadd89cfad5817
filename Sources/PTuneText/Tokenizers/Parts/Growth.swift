/// How much longer a text may become in the steps of a tokenizer: replacements multiply, so that twelve short ones can
/// turn a sentence into gigabytes.
struct Growth {
  /// The product of what each step makes of a byte.
  private var factor = 1

  /// Steps of one tokenizer.
  private static let mostSteps = 64
  /// Bytes of a text that a step looks for, puts in or adds.
  private static let longestText = 256
  /// Bytes that one byte may become in all steps; "▁" for a space is three.
  private static let largestFactor = 64

  /// Takes in a step that replaces `old` bytes by `new`.
  ///
  /// - Throws: ``TextError`` that names the member.
  mutating func step(_ node: JSONNode, _ member: String, from old: Int = .max, to new: Int) throws(TextError)
  {
    let limit = Self.longestText
    guard new <= limit, old == .max || old <= limit else {
      let node = node[member] ?? node
      throw node.invalid("of at most \(limit) bytes, and not \(max(new, old == .max ? 0 : old))")
    }
    guard old < new else { return }
    factor *= (new + old - 1) / old
    guard factor <= Self.largestFactor else {
      throw node.invalid(
        "one of steps that make a text at most \(Self.largestFactor) times as long; with this one it is \(factor) times"
      )
    }
  }

  /// Refuses too many steps.
  func check(_ node: JSONNode, _ steps: Int) throws(TextError) {
    guard steps <= Self.mostSteps else { throw node.invalid("one of at most \(Self.mostSteps) steps") }
  }
}
