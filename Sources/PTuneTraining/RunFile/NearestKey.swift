/// The known key that a mistyped one most likely meant, or nil if none is near.
func nearestKey(_ key: String, among known: [String]) -> String? {
  let near = known.map {
    (key: $0, distance: editDistance(Array(key.unicodeScalars), Array($0.unicodeScalars)))
  }
  let best = near.min { ($0.distance, $0.key) < ($1.distance, $1.key) }
  return best.flatMap { $0.distance <= (key.unicodeScalars.count + 2) / 3 ? $0.key : nil }
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one to the other.
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var before: [Int] = []
  var last = Array(0...b.count)
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
      row.append(best)
    }
    (before, last) = (last, row)
  }
  return last[b.count]
}
