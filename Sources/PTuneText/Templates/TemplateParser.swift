/// Reads what stands between braces in a template.
struct TemplateParser {
  private let characters: [Character]
  private var position = 0

  /// More virtual tokens at one place than any adapter has.
  private static let limit = 4096

  init(_ source: String) { characters = Array(source) }

  /// The parts, neighbouring literals as one.
  mutating func parts() throws(TemplateError) -> [TextTemplate.Part] {
    var parts: [TextTemplate.Part] = []
    var literal = ""
    var places: [Int?] = []
    while position < characters.count {
      let character = characters[position]
      let isDoubled = position + 1 < characters.count && characters[position + 1] == character
      switch character {
      case "{" where isDoubled, "}" where isDoubled:
        literal.append(character)
        position += 2
      case "}":
        throw error("'}' closes nothing; a brace of the text itself is written '}}'")
      case "{":
        if !literal.isEmpty { parts.append(.literal(literal)) }
        literal = ""
        let begin = position
        let part = try braces()
        if case .virtual(let count) = part {
          places.append(count)
          if places.count > 1, places.contains(nil) {
            throw error(
              "{prompt} means all virtual tokens, so there can be no other place for them", at: begin)
          }
        }
        parts.append(part)
      default:
        literal.append(character)
        position += 1
      }
    }
    if !literal.isEmpty { parts.append(.literal(literal)) }
    let hasField = parts.contains { if case .field = $0 { true } else { false } }
    guard hasField else { throw error("there is no field of the row in it, such as {text}", at: 0) }
    return parts
  }

  private mutating func braces() throws(TemplateError) -> TextTemplate.Part {
    let begin = position
    position += 1
    let inside = characters[position...].prefix { $0 != "}" && $0 != "{" }
    guard inside.endIndex < characters.count, characters[inside.endIndex] == "}" else {
      throw error("'{' is not closed; a brace of the text itself is written '{{'", at: begin)
    }
    position = inside.endIndex + 1
    let words = String(inside).split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(words[0])
    guard !name.isEmpty, name.first != " ", name.last != " " else {
      throw error("between braces, write the name of a column, or prompt, mask or separator", at: begin)
    }
    if words.count == 2 {
      guard name == "prompt" else { throw error("only {prompt:N} takes a number, not '\(name)'", at: begin) }
      return .virtual(try count(String(words[1]), at: begin))
    }
    switch name {
    case "mask": return .mask
    case "separator": return .separator
    case "prompt": return .virtual(nil)
    default:
      let isNumber = name.allSatisfy { $0.isASCII && $0.isNumber }
      return isNumber ? .virtual(try count(name, at: begin)) : .field(name)
    }
  }

  private func count(_ text: String, at begin: Int) throws(TemplateError) -> Int {
    guard let count = Int(text), (1...Self.limit).contains(count) else {
      throw error("'\(text)' is not a number of virtual tokens from 1 to \(Self.limit)", at: begin)
    }
    return count
  }

  private func error(_ reason: String, at place: Int? = nil) -> TemplateError {
    TemplateError(reason: reason, column: (place ?? position) + 1)
  }
}
