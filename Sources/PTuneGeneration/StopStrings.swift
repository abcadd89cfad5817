/// Ends a text in front of the first of some strings, wherever its pieces meet.
struct StopStrings {
  private let strings: [[UInt8]]
  /// The end of the text so far, with which one of the strings may begin.
  private var held: [UInt8] = []

  /// - Parameter strings: those to look for; empty ones are none.
  init(_ strings: [String]) {
    self.strings = strings.map { Array($0.utf8) }.filter { !$0.isEmpty }
  }

  /// Appends a piece: the text that certainly stands in front of any of the strings, and whether there was one.
  mutating func append(_ text: String) -> (text: String, isStopped: Bool) {
    held += text.utf8
    // The one that ends first, so that it does not matter how the text is cut into pieces.
    let found = strings.compactMap { string in
      first(string).map { (end: $0 + string.count, begin: $0) }
    }.min { $0 < $1 }
    let end = found?.begin ?? held.count - possibleBeginning
    let text = String(decoding: held[..<end], as: UTF8.self)
    held.removeFirst(found == nil ? end : held.count)
    return (text, found != nil)
  }

  /// What was held back, at the end of the text.
  mutating func finish() -> String {
    defer { held = [] }
    return String(decoding: held, as: UTF8.self)
  }

  private func first(_ string: [UInt8]) -> Int? {
    guard held.count >= string.count else { return nil }
    return (0...held.count - string.count).first { held[$0...].starts(with: string) }
  }

  /// How many bytes at the end may be the beginning of one of the strings.
  private var possibleBeginning: Int {
    let longest = min(held.count, (strings.map(\.count).max() ?? 1) - 1)
    return (0...longest).last { count in strings.contains { $0.starts(with: held.suffix(count)) } } ?? 0
  }
}
