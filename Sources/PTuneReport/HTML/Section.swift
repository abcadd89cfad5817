/// A part of a report with a heading.
struct Section {
  let id: String
  let title: String
  let body: [Markup]
  /// The heading's level.
  var level = 2

  /// Nothing if it has nothing in it.
  var markup: Markup {
    if body.allSatisfy(\.isEmpty) { return .none }
    return Markup(
      "section", ["id": id, "aria-labelledby": "\(id)-heading"],
      [Markup("h\(level)", ["id": "\(id)-heading"], [.data(title)])] + body)
  }
}

/// Makes ids of a page out of names: each is different, and none holds what an id must not.
struct Identifiers {
  private var used: Set<String> = []

  mutating func make(_ name: String) -> String {
    let plain = String(
      name.lowercased().unicodeScalars.map { scalar in
        scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
          ? Character(scalar) : "-"
      })
    let base = plain.first?.isLetter == true ? plain : "x" + plain
    var (id, number) = (base, 2)
    while !used.insert(id).inserted {
      id = "\(base)-\(number)"
      number += 1
    }
    return id
  }
}
