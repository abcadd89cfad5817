/// Members, items and methods of values.
enum JinjaMembers {
  /// A member that the value has itself, as dictionaries do; nil without it.
  static func own(_ name: String, of object: JinjaValue) -> JinjaValue? {
    switch object {
    case .dictionary(let dictionary): dictionary[name]
    case .namespace(let space): space.members[name]
    default: nil
    }
  }

  /// `object.name`
  static func member(_ name: String, of object: JinjaValue) throws(JinjaError) -> JinjaValue {
    if case .undefined = object { throw JinjaError("'\(name)' is asked of an undefined value") }
    return own(name, of: object) ?? .undefined
  }

  /// `object[index]`
  static func item(_ index: JinjaValue, of object: JinjaValue) throws(JinjaError) -> JinjaValue {
    switch (object, index) {
    case (.undefined, _): throw JinjaError("an item is asked of an undefined value")
    case (_, .string(let key)): return own(key, of: object) ?? .undefined
    case (.list(let elements), _):
      guard let place = index.integer.flatMap({ place($0, elements.count) }) else { return .undefined }
      return elements[place]
    case (.string(let text), _):
      let scalars = Array(text.unicodeScalars)
      guard let place = index.integer.flatMap({ place($0, scalars.count) }) else { return .undefined }
      return .string(String(scalars[place]))
    default: return .undefined
    }
  }

  private static func place(_ index: Int, _ count: Int) -> Int? {
    let place = index < 0 ? index + count : index
    return (0..<count).contains(place) ? place : nil
  }

  /// `object[from:to:step]`
  static func slice(
    _ object: JinjaValue, _ from: Int?, _ to: Int?, _ step: Int
  ) throws(JinjaError) -> JinjaValue {
    let elements: [JinjaValue]
    var isText = false
    switch object {
    case .list(let list): elements = list
    case .string: (elements, isText) = (object.elements ?? [], true)
    default: throw JinjaError("\(object.kind) cannot be sliced")
    }
    guard step != 0 else { throw JinjaError("a slice with the step 0") }
    let count = elements.count
    func bound(_ index: Int?, _ usual: Int) -> Int {
      guard let index else { return usual }
      let place = index < 0 ? index + count : index
      return step > 0 ? Swift.min(Swift.max(place, 0), count) : Swift.min(Swift.max(place, -1), count - 1)
    }
    let (begin, end) = step > 0 ? (bound(from, 0), bound(to, count)) : (bound(from, count - 1), bound(to, -1))
    let kept = stride(from: begin, to: end, by: step).map { elements[$0] }
    guard isText else { return .list(kept) }
    var text = ""
    for element in kept { text += try element.text() }
    return .string(text)
  }

  /// `object.name(…)`
  static func call(
    _ name: String, of object: JinjaValue, _ arguments: [JinjaValue], _ named: JinjaDictionary
  ) throws(JinjaError) -> JinjaValue {
    switch object {
    case .string(let text): return try call(name, ofText: text, arguments)
    case .dictionary(let dictionary):
      switch name {
      case "items": return .list(dictionary.items.map { .list([.string($0.key), $0.value]) })
      case "keys": return .list(dictionary.keys.map { .string($0) })
      case "values": return .list(dictionary.items.map(\.value))
      case "get":
        let key = try arguments.first?.text() ?? ""
        return dictionary[key] ?? (arguments.count > 1 ? arguments[1] : .none)
      default: break
      }
    default: break
    }
    throw JinjaError("ptune does not know '\(name)' of \(object.kind)")
  }

  private static func call(
    _ name: String, ofText text: String, _ arguments: [JinjaValue]
  ) throws(JinjaError) -> JinjaValue {
    var texts: [String] = []
    for argument in arguments { texts.append(try argument.text()) }
    let scalars = Array(text.unicodeScalars)
    switch name {
    case "strip": return .string(JinjaText.stripped(text, of: texts.first))
    case "lstrip": return .string(JinjaText.stripped(text, of: texts.first, right: false))
    case "rstrip": return .string(JinjaText.stripped(text, of: texts.first, left: false))
    case "startswith": return .bool(text.unicodeScalars.starts(with: (texts.first ?? "").unicodeScalars))
    case "endswith":
      return .bool(text.unicodeScalars.reversed().starts(with: (texts.first ?? "").unicodeScalars.reversed()))
    case "upper", "lower", "title", "capitalize":
      return try JinjaFilters.apply(name, to: .string(text), [], JinjaDictionary())
    case "split":
      return .list(
        JinjaText.split(scalars, at: texts.first, limit: arguments.count > 1 ? arguments[1].integer : nil)
          .map { .string($0) })
    case "replace" where texts.count >= 2:
      return .string(JinjaText.replaced(scalars, texts[0], with: texts[1]))
    case "find":
      return .int(JinjaText.place(of: Array((texts.first ?? "").unicodeScalars), in: scalars[...]) ?? -1)
    default: throw JinjaError("ptune does not know '\(name)' of a string")
    }
  }
}

/// Python's methods of strings, by code points.
enum JinjaText {
  static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  /// Without white space, or any of some characters, at its ends.
  static func stripped(_ text: String, of set: String?, left: Bool = true, right: Bool = true) -> String {
    func goes(_ scalar: Unicode.Scalar) -> Bool {
      set.map { $0.unicodeScalars.contains(scalar) } ?? scalar.properties.isWhitespace
    }
    var scalars = Array(text.unicodeScalars)[...]
    if left { scalars = scalars.drop(while: goes) }
    while right, let last = scalars.last, goes(last) { scalars.removeLast() }
    return string(scalars)
  }

  static func place(of wanted: [Unicode.Scalar], in scalars: ArraySlice<Unicode.Scalar>) -> Int? {
    guard !wanted.isEmpty else { return scalars.startIndex }
    return scalars.indices.first { scalars[$0...].starts(with: wanted) }
  }

  static func split(_ scalars: [Unicode.Scalar], at separator: String?, limit: Int?) -> [String] {
    var (parts, rest) = ([String](), scalars[...])
    if let separator = separator.map({ Array($0.unicodeScalars) }), !separator.isEmpty {
      while limit.map({ $0 < 0 || parts.count < $0 }) ?? true, let place = place(of: separator, in: rest) {
        parts.append(string(rest[..<place]))
        rest = rest[(place + separator.count)...]
      }
      return parts + [string(rest)]
    }
    return scalars.split { $0.properties.isWhitespace }.map(string)
  }

  static func replaced(_ scalars: [Unicode.Scalar], _ old: String, with new: String) -> String {
    guard !old.isEmpty else { return string(scalars) }
    return split(scalars, at: old, limit: nil).joined(separator: new)
  }
}
