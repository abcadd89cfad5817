/// Python's methods of strings, by code points.
enum JinjaText {
  static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }

  /// The code points of a text, paid for.
  static func scalars(_ text: String, _ budget: JinjaBudget) throws(JinjaError) -> [Unicode.Scalar] {
    try budget.read(text)
    return Array(text.unicodeScalars)
  }

  /// Without white space, or any of some characters, at its ends.
  static func stripped(
    _ text: String, of set: String?, left: Bool = true, right: Bool = true, _ budget: JinjaBudget
  ) throws(JinjaError) -> String {
    if let set { try budget.read(set) }
    let goes = set.map { Set($0.unicodeScalars) }
    func goesAway(_ scalar: Unicode.Scalar) -> Bool {
      goes.map { $0.contains(scalar) } ?? scalar.properties.isWhitespace
    }
    var scalars = try scalars(text, budget)[...]
    if left { scalars = scalars.drop(while: goesAway) }
    while right, let last = scalars.last, goesAway(last) { scalars.removeLast() }
    return string(scalars)
  }

  /// Where a text stands in another one, from left to right without overlaps, at most `limit` times. In time that
  /// grows with the two texts' lengths (Knuth, Morris and Pratt 1977).
  static func places(of wanted: String, in scalars: [Unicode.Scalar], limit: Int = .max) -> [Int] {
    let wanted = Array(wanted.unicodeScalars)
    guard !wanted.isEmpty, wanted.count <= scalars.count, limit > 0 else { return [] }
    // For each beginning of the wanted text, the longest shorter one that it ends with.
    var border = [Int](repeating: 0, count: wanted.count)
    var matched = 0
    for index in wanted.indices.dropFirst() {
      while matched > 0, wanted[index] != wanted[matched] { matched = border[matched - 1] }
      if wanted[index] == wanted[matched] { matched += 1 }
      border[index] = matched
    }
    var places: [Int] = []
    matched = 0
    for index in scalars.indices {
      while matched > 0, scalars[index] != wanted[matched] { matched = border[matched - 1] }
      if scalars[index] == wanted[matched] { matched += 1 }
      guard matched == wanted.count else { continue }
      places.append(index + 1 - wanted.count)
      if places.count == limit { break }
      matched = 0
    }
    return places
  }

  static func split(
    _ text: String, at separator: String?, limit: Int?, _ budget: JinjaBudget
  ) throws(JinjaError) -> [String] {
    let scalars = try scalars(text, budget)
    try budget.take(bytes: text.utf8.count)
    guard let separator, !separator.isEmpty else {
      let parts = scalars.split { $0.properties.isWhitespace }
      try budget.take(bytes: parts.count, times: JinjaBudget.elementBytes)
      return parts.map(string)
    }
    try budget.read(separator)
    let places = places(of: separator, in: scalars, limit: limit.map { $0 < 0 ? .max : $0 } ?? .max)
    try budget.take(bytes: places.count + 1, times: JinjaBudget.elementBytes)
    var (parts, start) = ([String](), 0)
    for place in places {
      parts.append(string(scalars[start..<place]))
      start = place + separator.unicodeScalars.count
    }
    return parts + [string(scalars[start...])]
  }

  static func replaced(
    _ text: String, _ old: String, with new: String, _ budget: JinjaBudget
  ) throws(JinjaError) -> String {
    guard !old.isEmpty else { return text }
    let parts = try split(text, at: old, limit: nil, budget)
    try budget.take(bytes: new.utf8.count, times: parts.count)
    return parts.joined(separator: new)
  }
}
