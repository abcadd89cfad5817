/// A word while it is merged, and room that is used again for the next word.
struct MergeRun {
  /// A token of the word so far.
  struct Symbol {
    var id: Int32
    /// Its bytes.
    let begin: Int32
    var end: Int32
    /// What it and its right neighbour become.
    var merge = MergeTable.Merge.none
    /// Neighbours in a long word, or -1.
    var previous: Int32 = -1
    var next: Int32 = -1
  }

  /// The tokens of the word, from left to right.
  private(set) var symbols: [Symbol] = []
  private var queue = RankQueue()

  /// Words of more symbols are merged with a queue; shorter ones are searched for the next merge, which is faster.
  private static let longestSearched = 40

  /// Begins a new word.
  mutating func clear() { symbols.removeAll(keepingCapacity: true) }

  /// Appends a symbol to the word.
  @inline(__always)
  mutating func append(_ id: Int32, _ begin: Int, _ end: Int) {
    symbols.append(
      Symbol(id: id, begin: Int32(truncatingIfNeeded: begin), end: Int32(truncatingIfNeeded: end)))
  }

  /// Merges until no two neighbours merge: always the pair of the lowest rank, of several the leftmost.
  mutating func merge(_ table: MergeTable) {
    if symbols.count < 2 { return }
    let isLong = symbols.count > Self.longestSearched
    let kept = symbols.withUnsafeMutableBufferPointer { symbols in
      for index in 0..<symbols.count - 1 {
        symbols[index].merge = table[symbols[index].id, symbols[index + 1].id]
      }
      return isLong ? Self.mergeLong(symbols, table, &queue) : Self.mergeShort(symbols, table)
    }
    symbols.removeLast(symbols.count - kept)
  }

  /// Searches all pairs for each merge. Returns how many symbols stay.
  private static func mergeShort(_ symbols: UnsafeMutableBufferPointer<Symbol>, _ table: MergeTable) -> Int {
    var count = symbols.count
    while true {
      var (best, rank) = (0, Int32.max)
      for index in 0..<count - 1 where symbols[index].merge.rank < rank {
        (best, rank) = (index, symbols[index].merge.rank)
      }
      guard rank < .max else { return count }
      symbols[best].id = symbols[best].merge.id
      symbols[best].end = symbols[best + 1].end
      count -= 1
      for index in best + 1..<Swift.max(count, best + 1) { symbols[index] = symbols[index + 1] }
      symbols[best].merge = best + 1 < count ? table[symbols[best].id, symbols[best + 1].id] : .none
      if best > 0 { symbols[best - 1].merge = table[symbols[best - 1].id, symbols[best].id] }
    }
  }

  /// Keeps the pairs in a queue, and symbols in a list. Returns how many symbols stay.
  private static func mergeLong(
    _ symbols: UnsafeMutableBufferPointer<Symbol>, _ table: MergeTable, _ queue: inout RankQueue
  ) -> Int {
    for index in symbols.indices {
      symbols[index].previous = Int32(index - 1)
      symbols[index].next = index + 1 < symbols.count ? Int32(index + 1) : -1
      queue.push(symbols[index].merge.rank, index)
    }
    while let (rank, index) = queue.pop() {
      // NB: the entry is out of date when the symbol has merged since, or its neighbour has.
      guard symbols[index].merge.rank == rank else { continue }
      let right = Int(symbols[index].next)
      symbols[index].id = symbols[index].merge.id
      symbols[index].end = symbols[right].end
      symbols[index].next = symbols[right].next
      symbols[right].merge = .none
      symbols[right].id = -1
      if symbols[index].next >= 0 { symbols[Int(symbols[index].next)].previous = Int32(index) }
      update(symbols, index, table, &queue)
      if symbols[index].previous >= 0 { update(symbols, Int(symbols[index].previous), table, &queue) }
    }
    var kept = 0
    for index in symbols.indices where symbols[index].id >= 0 {
      symbols[kept] = symbols[index]
      kept += 1
    }
    return kept
  }

  /// Looks up what a symbol and its new neighbour become.
  private static func update(
    _ symbols: UnsafeMutableBufferPointer<Symbol>, _ index: Int, _ table: MergeTable, _ queue: inout RankQueue
  ) {
    let next = Int(symbols[index].next)
    symbols[index].merge = next < 0 ? .none : table[symbols[index].id, symbols[next].id]
    queue.push(symbols[index].merge.rank, index)
  }
}

/// A binary heap of ranks and positions: the lowest rank first, and of one rank the leftmost.
private struct RankQueue {
  private var entries: [UInt64] = []

  /// Adds an entry, unless its rank is that of no merge.
  mutating func push(_ rank: Int32, _ position: Int) {
    guard rank < .max else { return }
    let entry = UInt64(UInt32(bitPattern: rank)) << 32 | UInt64(position)
    var index = entries.count
    entries.append(entry)
    while index > 0, entries[(index - 1) / 2] > entry {
      entries[index] = entries[(index - 1) / 2]
      index = (index - 1) / 2
    }
    entries[index] = entry
  }

  /// Takes the first entry.
  mutating func pop() -> (rank: Int32, position: Int)? {
    guard let first = entries.first, let last = entries.popLast() else { return nil }
    var index = 0
    while case var child = 2 * index + 1, child < entries.count {
      if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
      guard entries[child] < last else { break }
      entries[index] = entries[child]
      index = child
    }
    if !entries.isEmpty { entries[index] = last }
    return (Int32(truncatingIfNeeded: first >> 32), Int(first & 0xFFFF_FFFF))
  }
}
