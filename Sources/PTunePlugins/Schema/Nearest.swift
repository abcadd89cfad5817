/// The candidate that a misspelt name most likely means, or `nil` if none is close.
///
/// The distance is the number of insertions, deletions, substitutions and swaps of neighbours (Damerau 1964);
/// case, and '-' against '_', cost nothing. A name may be wrong in a third of its letters.
public func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
  let wanted = folded(name)
  var best: (name: String, distance: Int)?
  for candidate in candidates {
    let other = folded(candidate)
    let distance = distance(wanted, other)
    guard distance <= max(1, max(wanted.count, other.count) / 3) else { continue }
    if distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

private func folded(_ name: String) -> [Character] {
  name.lowercased().map { $0 == "_" ? "-" : $0 }
}

private func distance(_ a: [Character], _ b: [Character]) -> Int {
  // Rows i-2, i-1 and i of the table whose element [i][j] is the distance of the first i and j letters.
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var least = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, beforeLast[j - 1] + 1) }
      row.append(least)
    }
    (beforeLast, last) = (last, row)
  }
  return last[b.count]
}
