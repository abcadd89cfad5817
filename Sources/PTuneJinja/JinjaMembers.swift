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
  static func item(
    _ index: JinjaValue, of object: JinjaValue, _ budget: JinjaBudget
  ) throws(JinjaError) -> JinjaValue {
    switch (object, index) {
    case (.undefined, _): throw JinjaError("an item is asked of an undefined value")
    case (_, .string(let key)): return own(key, of: object) ?? .undefined
    case (.list(let elements), _):
      guard let place = index.integer.flatMap({ place($0, elements.count) }) else { return .undefined }
      return elements[place]
    case (.string(let text), _):
      // Characters are counted from the text's beginning.
      try budget.take(work: text.utf8.count / 4 + 1)
      let scalars = text.unicodeScalars
      guard let place = index.integer.flatMap({ place($0, scalars.count) }) else { return .undefined }
      return .string(String(scalars[scalars.index(scalars.startIndex, offsetBy: place)]))
    default: return .undefined
    }
  }

  private static func place(_ index: Int, _ count: Int) -> Int? {
    let place = index < 0 ? index + count : index
    return (0..<count).contains(place) ? place : nil
  }

  /// `object[from:to:step]`
  static func slice(
    _ object: JinjaValue, _ from: Int?, _ to: Int?, _ step: Int, _ budget: JinjaBudget
  ) throws(JinjaError) -> JinjaValue {
    let elements: [JinjaValue]
    var isText = false
    switch object {
    case .list(let list): elements = list
    case .string: (elements, isText) = (try budget.elements(of: object) ?? [], true)
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
    guard isText else { return try budget.made(.list(kept)) }
    var text = ""
    for element in kept { text += try element.text() }
    return .string(text)
  }

  /// `object.name(…)`
  static func call(
    _ name: String, of object: JinjaValue, _ arguments: [JinjaValue], _ named: JinjaDictionary,
    _ budget: JinjaBudget
  ) throws(JinjaError) -> JinjaValue {
    switch object {
    case .string(let text): return try call(name, ofText: text, arguments, budget)
    case .dictionary(let dictionary):
      switch name {
      case "items":
        try budget.take(bytes: dictionary.keys.count, times: 4 * JinjaBudget.elementBytes)
        return .list(dictionary.items.map { .list([.string($0.key), $0.value]) })
      case "keys": return try budget.made(.list(dictionary.keys.map { .string($0) }))
      case "values": return try budget.made(.list(dictionary.items.map(\.value)))
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
    _ name: String, ofText text: String, _ arguments: [JinjaValue], _ budget: JinjaBudget
  ) throws(JinjaError) -> JinjaValue {
    var texts: [String] = []
    for argument in arguments { texts.append(try argument.text()) }
    switch name {
    case "strip": return try budget.made(.string(try JinjaText.stripped(text, of: texts.first, budget)))
    case "lstrip":
      return try budget.made(.string(try JinjaText.stripped(text, of: texts.first, right: false, budget)))
    case "rstrip":
      return try budget.made(.string(try JinjaText.stripped(text, of: texts.first, left: false, budget)))
    case "startswith":
      try budget.take(work: min(text.utf8.count, texts.first?.utf8.count ?? 0) / 4 + 1)
      return .bool(text.unicodeScalars.starts(with: (texts.first ?? "").unicodeScalars))
    case "endswith":
      try budget.take(work: min(text.utf8.count, texts.first?.utf8.count ?? 0) / 4 + 1)
      return .bool(text.unicodeScalars.reversed().starts(with: (texts.first ?? "").unicodeScalars.reversed()))
    case "upper", "lower", "title", "capitalize":
      return try JinjaFilters.apply(name, to: .string(text), [], JinjaDictionary(), budget)
    case "split":
      return .list(
        try JinjaText.split(
          text, at: texts.first, limit: arguments.count > 1 ? arguments[1].integer : nil, budget
        ).map { .string($0) })
    case "replace" where texts.count >= 2:
      return .string(try JinjaText.replaced(text, texts[0], with: texts[1], budget))
    case "find":
      let wanted = texts.first ?? ""
      guard !wanted.isEmpty else { return .int(0) }
      return .int(JinjaText.places(of: wanted, in: try JinjaText.scalars(text, budget), limit: 1).first ?? -1)
    default: throw JinjaError("ptune does not know '\(name)' of a string")
    }
  }
}
