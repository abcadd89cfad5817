import PTuneFormats

/// A value in a template, as Python has them.
enum JinjaValue {
  case undefined
  case none
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case list([JinjaValue])
  case dictionary(JinjaDictionary)
  /// What `namespace()` makes: its members can be set from within loops.
  case namespace(JinjaNamespace)
  /// A macro, or a function that the host gives.
  case function(JinjaFunction)
}

/// A dictionary with keys of text, in order.
struct JinjaDictionary {
  private(set) var keys: [String] = []
  private var values: [JinjaValue] = []
  /// Where keys are, once there are many.
  private var places: [Key: Int] = [:]

  /// A key by its bytes: texts that are equal only in canonical form are two keys.
  private struct Key: Hashable {
    let text: String
    static func == (a: Key, b: Key) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }
    func hash(into hasher: inout Hasher) { for byte in text.utf8 { hasher.combine(byte) } }
  }

  private static let fewKeys = 16

  subscript(key: String) -> JinjaValue? {
    get { place(of: key).map { values[$0] } }
    set {
      guard let newValue else { return }
      if let place = place(of: key) {
        values[place] = newValue
      } else {
        keys.append(key)
        values.append(newValue)
        if keys.count > Self.fewKeys {
          for place in (places.isEmpty ? 0 : keys.count - 1)..<keys.count {
            places[Key(text: keys[place])] = place
          }
        }
      }
    }
  }

  var items: [(key: String, value: JinjaValue)] { zip(keys, values).map { ($0, $1) } }

  private func place(of key: String) -> Int? {
    keys.count > Self.fewKeys
      ? places[Key(text: key)] : keys.firstIndex { $0.utf8.elementsEqual(key.utf8) }
  }
}

/// The members that `namespace()` holds.
final class JinjaNamespace {
  var members = JinjaDictionary()
}

/// Something that can be called.
struct JinjaFunction {
  typealias Body = (_ arguments: [JinjaValue], _ named: JinjaDictionary) throws(JinjaError) -> JinjaValue
  let name: String
  let body: Body
}

extension JinjaValue {
  /// A JSON document as a value.
  init(_ json: JSONValue) {
    switch json {
    case .null: self = .none
    case .bool(let value): self = .bool(value)
    case .int(let value): self = .int(value)
    case .double(let value): self = .double(value)
    case .string(let value): self = .string(value)
    case .array(let elements): self = .list(elements.map { JinjaValue($0) })
    case .object(let members):
      var dictionary = JinjaDictionary()
      for (key, value) in members { dictionary[key] = JinjaValue(value) }
      self = .dictionary(dictionary)
    }
  }

  /// The value as JSON, for `tojson`; nil for what JSON does not have.
  var json: JSONValue? {
    switch self {
    case .undefined, .function, .namespace: return nil
    case .none: return .null
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .double(let value): return .double(value)
    case .string(let value): return .string(value)
    case .list(let elements):
      let documents = elements.compactMap(\.json)
      return documents.count == elements.count ? .array(documents) : nil
    case .dictionary(let dictionary):
      var object = JSONObject()
      for (key, value) in dictionary.items {
        guard let document = value.json else { return nil }
        object[key] = document
      }
      return .object(object)
    }
  }

  /// Python's truth.
  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let value): value
    case .int(let value): value != 0
    case .double(let value): value != 0
    case .string(let value): !value.isEmpty
    case .list(let elements): !elements.isEmpty
    case .dictionary(let dictionary): !dictionary.keys.isEmpty
    case .namespace, .function: true
    }
  }

  /// What Python calls its type, for messages.
  var kind: String {
    switch self {
    case .undefined: "an undefined value"
    case .none: "none"
    case .bool: "a boolean"
    case .int: "an integer"
    case .double: "a number"
    case .string: "a string"
    case .list: "a list"
    case .dictionary: "a mapping"
    case .namespace: "a namespace"
    case .function: "a function"
    }
  }

  /// As `{{ … }}` prints it. Throws for lists and the like, which Python prints in its own notation.
  func text() throws(JinjaError) -> String {
    switch self {
    case .undefined: return ""
    case .none: return "None"
    case .bool(let value): return value ? "True" : "False"
    case .int(let value): return "\(value)"
    case .double(let value): return "\(value)"
    case .string(let value): return value
    default: throw JinjaError("it prints \(kind), which ptune does not")
    }
  }

  /// The number, with booleans as 0 and 1.
  var number: Double? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// The integer, with booleans as 0 and 1.
  var integer: Int? {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .int(let value): value
    default: nil
    }
  }

  /// Python's `==` of values that hold no others; ``JinjaBudget/equals(_:_:)`` is that of all.
  static func areEqualScalars(_ a: JinjaValue, _ b: JinjaValue) -> Bool {
    switch (a, b) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.namespace(let a), .namespace(let b)): return a === b
    default:
      guard let a = a.number, let b = b.number else { return false }
      return a == b
    }
  }

  /// Python's `<`; nil where it raises an error.
  static func isLess(_ a: JinjaValue, _ b: JinjaValue) -> Bool? {
    if case .string(let a) = a, case .string(let b) = b {
      return a.unicodeScalars.lexicographicallyPrecedes(b.unicodeScalars)
    }
    guard let a = a.number, let b = b.number else { return nil }
    return a < b
  }

  /// The elements that a loop goes over; nil where there is nothing to go over.
  var elements: [JinjaValue]? {
    switch self {
    case .list(let elements): elements
    case .dictionary(let dictionary): dictionary.keys.map { .string($0) }
    case .string(let text): text.unicodeScalars.map { .string(String($0)) }
    case .undefined: []
    default: nil
    }
  }
}
