/// "Did you mean": the nearest of the known names to one that was mistyped.
public enum Suggestion {
  /// The name nearest to `name`, or nil when none is near enough to be a slip of the fingers.
  ///
  /// Near enough is one edit per three letters (at least one); letter case, and `-` against `_`, cost nothing. Of
  /// equally near names the first wins. Where none is near, a part of a name will do, or the first letters of its parts:
  /// `prefix` for `prefix-tuning`, `lr` for `learning-rate`.
  public static func nearest(_ name: String, among candidates: some Sequence<String>) -> String? {
    let wanted = folded(name)
    guard !wanted.isEmpty else { return nil }
    var best: (name: String, distance: Int)?
    for candidate in candidates {
      let letters = folded(candidate)
      let longer = max(wanted.count, letters.count)
      let limit = max(1, longer / 3)
      guard abs(letters.count - wanted.count) <= limit else { continue }
      let distance = distance(wanted, letters)
      // NB: with one letter, one edit away is every other letter.
      guard distance <= limit, distance < longer else { continue }
      if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
    }
    return best?.name ?? abbreviated(wanted, among: candidates)
  }

  /// The shortest name of which the letters are a part, or the first letters of its parts.
  private static func abbreviated(
    _ letters: [Unicode.Scalar], among candidates: some Sequence<String>
  ) -> String? {
    candidates.filter { candidate in
      let parts = folded(candidate).split(separator: "-")
      guard parts.count > 1, letters.count > 1 else { return false }
      return parts.compactMap(\.first) == letters
        || letters.count > 2 && parts.contains { Array($0) == letters }
    }.min { $0.count < $1.count }
  }

  /// How many insertions, deletions, substitutions and swaps of neighbours lead from one text to the other
  /// (Damerau 1964; optimal string alignment).
  public static func distance(_ left: String, _ right: String) -> Int {
    distance(Array(left.unicodeScalars), Array(right.unicodeScalars))
  }

  private static func folded(_ name: String) -> [Unicode.Scalar] {
    name.lowercased().unicodeScalars.map { $0 == "_" ? "-" : $0 }
  }

  private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    if left.isEmpty || right.isEmpty { return left.count + right.count }
    // Rows i-2, i-1 and i of the table whose element [i][j] is the distance of the first i and j letters.
    var beforePrevious = [Int](repeating: 0, count: right.count + 1)
    var previous = Array(0...right.count)
    var current = beforePrevious
    for i in 1...left.count {
      current[0] = i
      for j in 1...right.count {
        let substitution = previous[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1)
        current[j] = min(previous[j] + 1, current[j - 1] + 1, substitution)
        if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
          current[j] = min(current[j], beforePrevious[j - 2] + 1)
        }
      }
      (beforePrevious, previous, current) = (previous, current, beforePrevious)
    }
    return previous[right.count]
  }
}
