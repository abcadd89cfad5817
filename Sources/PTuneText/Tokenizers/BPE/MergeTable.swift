/// The merges of a vocabulary: which two tokens become which third, and how soon. One open-addressing hash table.
struct MergeTable: Sendable {
  /// A merge; the lower the rank, the sooner.
  struct Merge: Equatable {
    let rank: Int32
    let id: Int32

    /// No merge: comes after all others.
    static let none = Merge(rank: .max, id: -1)
  }

  private struct Slot {
    var key: UInt64
    var merge: Merge
  }

  /// A power of two of them, at most half full.
  private var slots: [Slot]
  private let shift: UInt64

  private static let free = UInt64.max

  /// An empty table with room for `count` merges.
  init(count: Int) {
    var bits: UInt64 = 4
    while 1 << bits < count * 2 { bits += 1 }
    shift = 64 - bits
    slots = Array(repeating: Slot(key: Self.free, merge: .none), count: 1 << bits)
  }

  /// Adds a merge; of two for one pair the later counts.
  mutating func add(_ left: Int32, _ right: Int32, _ merge: Merge) {
    let key = Self.key(left, right)
    var slot = place(key)
    while slots[slot].key != Self.free, slots[slot].key != key { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Slot(key: key, merge: merge)
  }

  /// What two neighbours become.
  @inline(__always)
  subscript(left: Int32, right: Int32) -> Merge {
    let key = Self.key(left, right)
    var slot = place(key)
    while true {
      let entry = slots[slot]
      if entry.key == key { return entry.merge }
      if entry.key == Self.free { return .none }
      slot = (slot + 1) & (slots.count - 1)
    }
  }

  @inline(__always)
  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  @inline(__always)
  private func place(_ key: UInt64) -> Int { Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift) }
}
