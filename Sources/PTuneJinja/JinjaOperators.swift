/// Operators, as Python has them.
enum JinjaOperators {
  static func unary(_ sign: String, _ value: JinjaValue) throws(JinjaError) -> JinjaValue {
    switch (sign, value) {
    case ("not", _): return .bool(!value.isTrue)
    case ("-", .double(let number)): return .double(-number)
    case ("-", _):
      guard let number = value.integer, number != .min else { break }
      return .int(-number)
    case ("+", .int), ("+", .double): return value
    default: break
    }
    throw JinjaError("'\(sign)' before \(value.kind)")
  }

  static func binary(
    _ sign: String, _ left: JinjaValue, _ right: JinjaValue
  ) throws(JinjaError) -> JinjaValue {
    switch sign {
    case "and", "or": return right
    case "==": return .bool(JinjaValue.equals(left, right))
    case "!=": return .bool(!JinjaValue.equals(left, right))
    case "<": return .bool(try isLess(left, right, sign))
    case ">": return .bool(try isLess(right, left, sign))
    case "<=": return .bool(try !isLess(right, left, sign))
    case ">=": return .bool(try !isLess(left, right, sign))
    case "in": return .bool(try contains(right, left))
    case "~": return .string(try left.text() + right.text())
    case "+":
      switch (left, right) {
      case (.string(let a), .string(let b)): return .string(a + b)
      case (.list(let a), .list(let b)): return .list(a + b)
      default: break
      }
    default: break
    }
    if sign == "*", case .string(let text) = left, let count = right.integer {
      guard count <= 10_000 else { throw JinjaError("a string is repeated too often") }
      return .string(String(repeating: text, count: Swift.max(0, count)))
    }
    if let a = left.integer, let b = right.integer { return try integers(sign, a, b) }
    guard let a = left.number, let b = right.number else {
      throw JinjaError("'\(sign)' between \(left.kind) and \(right.kind)")
    }
    switch sign {
    case "+": return .double(a + b)
    case "-": return .double(a - b)
    case "*": return .double(a * b)
    case "/" where b != 0: return .double(a / b)
    case "//" where b != 0: return .double((a / b).rounded(.down))
    case "%" where b != 0: return .double(a - b * (a / b).rounded(.down))
    default: throw JinjaError("'\(sign)' between \(left.kind) and \(right.kind)")
    }
  }

  private static func integers(_ sign: String, _ a: Int, _ b: Int) throws(JinjaError) -> JinjaValue {
    func checked(_ result: (partialValue: Int, overflow: Bool)) throws(JinjaError) -> JinjaValue {
      if result.overflow { throw JinjaError("a number is too large") }
      return .int(result.partialValue)
    }
    switch sign {
    case "+": return try checked(a.addingReportingOverflow(b))
    case "-": return try checked(a.subtractingReportingOverflow(b))
    case "*": return try checked(a.multipliedReportingOverflow(by: b))
    case "/" where b != 0: return .double(Double(a) / Double(b))
    case "//" where b != 0, "%" where b != 0:
      guard !(a == .min && b == -1) else { throw JinjaError("a number is too large") }
      // Python rounds down, Swift towards zero.
      let rest = a % b
      let isDown = rest != 0 && (rest < 0) != (b < 0)
      return .int(sign == "%" ? (isDown ? rest + b : rest) : (isDown ? a / b - 1 : a / b))
    default: throw JinjaError("'\(sign)' between these numbers")
    }
  }

  private static func isLess(_ a: JinjaValue, _ b: JinjaValue, _ sign: String) throws(JinjaError) -> Bool {
    guard let isLess = JinjaValue.isLess(a, b) else {
      throw JinjaError("'\(sign)' between \(a.kind) and \(b.kind)")
    }
    return isLess
  }

  private static func contains(_ container: JinjaValue, _ value: JinjaValue) throws(JinjaError) -> Bool {
    switch container {
    case .string(let text):
      guard case .string(let part) = value else {
        throw JinjaError("\(value.kind) is looked for in a string")
      }
      return JinjaText.place(of: Array(part.unicodeScalars), in: Array(text.unicodeScalars)[...]) != nil
        || part.isEmpty
    case .list(let elements): return elements.contains { JinjaValue.equals($0, value) }
    case .dictionary(let dictionary):
      guard case .string(let key) = value else { return false }
      return dictionary[key] != nil
    case .undefined: return false
    default: throw JinjaError("something is looked for in \(container.kind)")
    }
  }
}
