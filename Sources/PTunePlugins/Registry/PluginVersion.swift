/// A plugin's version in the order of versions: numbers between dots by their value, "1.10.0" after "1.9.2"; what follows a
/// `-` makes it older than the same version without (Semantic Versioning 2.0.0, section 11).
struct PluginVersion: Comparable {
  private let numbers: [UInt64]
  private let suffix: String?

  init(_ text: String) {
    let parts = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false).map { UInt64($0) ?? 0 }
    suffix = parts.count > 1 ? String(parts[1]) : nil
  }

  static func < (a: PluginVersion, b: PluginVersion) -> Bool {
    for place in 0..<max(a.numbers.count, b.numbers.count) {
      let own = a.numbers.indices.contains(place) ? a.numbers[place] : 0
      let other = b.numbers.indices.contains(place) ? b.numbers[place] : 0
      if own != other { return own < other }
    }
    switch (a.suffix, b.suffix) {
    case (nil, _): return false
    case (_, nil): return true
    case (let own?, let other?): return own < other
    }
  }

  static func == (a: PluginVersion, b: PluginVersion) -> Bool { !(a < b) && !(b < a) }
}
