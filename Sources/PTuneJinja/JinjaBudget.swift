/// What keeps a hostile template from running for ever, from exhausting the stack and from filling the memory: steps,
/// levels, bytes of values and work on them that are left, macros' included.
///
/// Every value is paid for before it is made, whether or not it is ever printed; nothing is given back.
final class JinjaBudget {
  private var steps = 2_000_000
  private var bytes: Int
  private var work: Int
  var levels = 80

  /// What a list takes for an element of it, and a dictionary for a member.
  static let elementBytes = 48

  /// - Parameter input: bytes of what the template is given: large conversations may be worked on more.
  init(input: Int = 0) {
    bytes = 64 << 20 + 16 * min(input, 1 << 30)
    work = 64 << 20 + 64 * min(input, 1 << 30)
  }

  /// Takes steps.
  func take(steps count: Int) throws(JinjaError) {
    steps -= count
    if steps < 0 { throw JinjaError("it runs for too long") }
  }

  /// Takes the memory of a value.
  func take(bytes count: Int) throws(JinjaError) {
    guard count <= bytes else { throw JinjaError("it makes too large values, or too many") }
    bytes -= count
  }

  /// Takes the memory of a product.
  func take(bytes count: Int, times: Int) throws(JinjaError) {
    let (product, overflow) = count.multipliedReportingOverflow(by: max(0, times))
    try take(bytes: overflow ? .max : product)
  }

  /// Takes time: a unit for each character or element that is looked at.
  func take(work count: Int) throws(JinjaError) {
    guard count <= work else { throw JinjaError("it runs for too long") }
    work -= count
  }

  /// Takes what it costs to look at all characters of a text, and to keep them apart for that long.
  func read(_ text: String) throws(JinjaError) {
    try take(work: text.utf8.count)
    guard text.utf8.count <= Self.longestText else { throw JinjaError("it works on a text that is too long") }
  }

  /// The elements that a loop goes over, paid for; nil where there is nothing to go over.
  func elements(of value: JinjaValue) throws(JinjaError) -> [JinjaValue]? {
    switch value {
    case .string(let text):
      try read(text)
      try take(bytes: text.unicodeScalars.count, times: Self.elementBytes)
    case .list(let elements): try take(work: elements.count)
    case .dictionary(let dictionary): try take(bytes: dictionary.keys.count, times: Self.elementBytes)
    default: break
    }
    return value.elements
  }

  /// Bytes of a text that are taken apart: each takes four more then.
  private static let longestText = 16 << 20
}

extension JinjaBudget {
  /// Takes the memory of what was made: of a text, or of a list and a dictionary without what is in them.
  func made(_ value: JinjaValue) throws(JinjaError) -> JinjaValue {
    switch value {
    case .string(let text): try take(bytes: text.utf8.count)
    case .list(let elements): try take(bytes: elements.count, times: Self.elementBytes)
    case .dictionary(let dictionary): try take(bytes: dictionary.keys.count, times: 2 * Self.elementBytes)
    default: break
    }
    return value
  }

  /// Python's `==`, paid for by all that is compared: a list may hold another one many times.
  func equals(_ a: JinjaValue, _ b: JinjaValue) throws(JinjaError) -> Bool {
    switch (a, b) {
    case (.list(let a), .list(let b)):
      guard a.count == b.count else { return false }
      try take(work: a.count)
      for (a, b) in zip(a, b) where try !equals(a, b) { return false }
      return true
    case (.dictionary(let a), .dictionary(let b)):
      guard a.keys.count == b.keys.count else { return false }
      try take(work: a.keys.count)
      for (key, value) in a.items {
        guard let other = b[key], try equals(value, other) else { return false }
      }
      return true
    case (.string(let a), .string(let b)):
      guard a.utf8.count == b.utf8.count else { return false }
      try take(work: 1 + a.utf8.count / 16)
      return a.utf8.elementsEqual(b.utf8)
    default:
      try take(work: 1)
      return JinjaValue.areEqualScalars(a, b)
    }
  }

  /// Takes the memory of a value's JSON, at most.
  func takeJSON(of value: JinjaValue, indentation: Int, level: Int = 1) throws(JinjaError) {
    let line = 2 + indentation * level
    switch value {
    // Six bytes for a control character.
    case .string(let text): try take(bytes: text.utf8.count, times: 6)
    case .list(let elements):
      try take(bytes: elements.count, times: line + Self.elementBytes)
      for element in elements { try takeJSON(of: element, indentation: indentation, level: level + 1) }
    case .dictionary(let dictionary):
      for (key, element) in dictionary.items {
        try take(bytes: line + 2 * Self.elementBytes)
        try take(bytes: key.utf8.count, times: 6)
        try takeJSON(of: element, indentation: indentation, level: level + 1)
      }
    default: try take(bytes: 32)
    }
  }
}
