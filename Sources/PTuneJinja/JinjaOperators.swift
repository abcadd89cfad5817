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
    _ sign: String, _ left: JinjaValue, _ right: JinjaValue, _ budget: JinjaBudget
  ) throws(JinjaError) -> JinjaValue {
    switch sign {
    case "and", "or": return right
    case "==": return .bool(try budget.equals(left, right))
    case "!=": return .bool(try !budget.equals(left, right))
    case "<": return .bool(try isLess(left, right, sign))
    case ">": return .bool(try isLess(right, left, sign))
    case "<=": return .bool(try !isLess(right, left, sign))
    case ">=": return .bool(try !isLess(left, right, sign))
    case "in": return .bool(try contains(right, left, budget))
    case "~":
      let (a, b) = (try left.text(), try right.text())
      try budget.take(bytes: a.utf8.count + b.utf8.count)
      return .string(a + b)
    case "+":
      switch (left, right) {
      case (.string(let a), .string(let b)):
        try budget.take(bytes: a.utf8.count + b.utf8.count)
        return .string(a + b)
      case (.list(let a), .list(let b)):
        try budget.take(bytes: a.count + b.count, times: JinjaBudget.elementBytes)
        return .list(a + b)
      default: break
      }
    default: break
    }
    if sign == "*", case .string(let text) = left, let count = right.integer {
      try budget.take(bytes: text.utf8.count, times: count)
      // An empty text takes nothing, and as many turns.
      guard count <= 1 << 24 else { throw JinjaError("a string is repeated too often") }
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

  private static func contains(
    _ container: JinjaValue, _ value: JinjaValue, _ budget: JinjaBudget
  ) throws(JinjaError) -> Bool {
    switch container {
    case .string(let text):
      guard case .string(let part) = value else {
        throw JinjaError("\(value.kind) is looked for in a string")
      }
      if part.isEmpty { return true }
      let scalars = try JinjaText.scalars(text, budget)
      return !JinjaText.places(of: part, in: scalars, limit: 1).isEmpty
    case .list(let elements):
      for element in elements where try budget.equals(element, value) { return true }
      return false
    case .dictionary(let dictionary):
      guard case .string(let key) = value else { return false }
      return dictionary[key] != nil
    case .undefined: return false
    default: throw JinjaError("something is looked for in \(container.kind)")
    }
  }
}
