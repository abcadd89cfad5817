/// A set of byte strings with values, walked byte by byte: finds the longest entry that a text begins with in one
/// pass. Edges are kept in one open-addressing hash table.
struct ByteTrie: Sendable {
  /// The node of the empty string.
  static let root: UInt32 = 0

  /// Value of each node's string, or -1.
  private var values: [Int32] = [-1]
  /// `node << 36 | byte << 28 | child`, or `free`; a power of two of them, at most half full.
  private var slots: [UInt64]
  private var shift: UInt64

  private static let free = UInt64.max
  private static let childMask: UInt64 = 1 << 28 - 1

  /// An empty trie with room for about `edges` bytes that no other entry begins with.
  init(edges: Int = 0) {
    shift = 64 - 8
    while 1 << (64 - shift) < edges * 2 { shift -= 1 }
    slots = Array(repeating: Self.free, count: 1 << (64 - shift))
  }

  /// Adds an entry, or replaces its value.
  mutating func insert(_ key: some Sequence<UInt8>, value: Int32) {
    var node = Self.root
    for byte in key {
      if let child = child(of: node, byte) {
        node = child
      } else {
        let child = UInt32(values.count)
        values.append(-1)
        if values.count * 2 > slots.count { grow() }
        store(UInt64(node) << 36 | UInt64(byte) << 28 | UInt64(child))
        node = child
      }
    }
    values[Int(node)] = value
  }

  /// The node one byte further, or nil when no entry goes on that way.
  @inline(__always)
  func child(of node: UInt32, _ byte: UInt8) -> UInt32? {
    let key = UInt64(node) << 8 | UInt64(byte)
    var slot = Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while true {
      let entry = slots[slot]
      if entry >> 28 == key { return UInt32(truncatingIfNeeded: entry & Self.childMask) }
      if entry == Self.free { return nil }
      slot = (slot + 1) & (slots.count - 1)
    }
  }

  /// The value of a node's string, or nil when the string is only the beginning of an entry.
  @inline(__always)
  func value(at node: UInt32) -> Int32? {
    let value = values[Int(node)]
    return value < 0 ? nil : value
  }

  /// The node that `key` leads to from `start`.
  func node(_ key: some Sequence<UInt8>, from start: UInt32 = Self.root) -> UInt32? {
    var node = start
    for byte in key {
      guard let next = child(of: node, byte) else { return nil }
      node = next
    }
    return node
  }

  /// The longest entry that begins at `begin`, walked from `node`; an entry has at least one byte.
  @inline(__always)
  func longest(
    _ bytes: UnsafeBufferPointer<UInt8>, _ begin: Int, _ end: Int, from node: UInt32 = Self.root
  ) -> (end: Int, value: Int32)? {
    var (node, position) = (node, begin)
    var found: (Int, Int32)?
    while position < end, let next = child(of: node, bytes[position]) {
      node = next
      position += 1
      if let value = value(at: node) { found = (position, value) }
    }
    return found
  }

  private mutating func store(_ entry: UInt64) {
    var slot = Int(((entry >> 28) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while slots[slot] != Self.free { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = entry
  }

  private mutating func grow() {
    let old = slots
    shift -= 1
    slots = Array(repeating: Self.free, count: old.count * 2)
    for entry in old where entry != Self.free { store(entry) }
  }
}
