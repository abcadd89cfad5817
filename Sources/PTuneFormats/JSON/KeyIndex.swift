/// Finds keys among many by their UTF-8 bytes: a hash table with open addressing over the places of keys that stand
/// elsewhere. A vocabulary has tens of thousands of keys; a `Dictionary` of strings took twice as long as parsing them.
struct KeyIndex: Sendable {
  /// Place + 1 of a key, or 0; as many as a power of two, at most half of them taken.
  private var slots: [Int32] = []
  private var hashes: [UInt64] = []

  // Differs from process to process, so that no file can be made whose keys all collide.
  private static let seed = UInt64.random(in: .min ... .max)

  var isEmpty: Bool { hashes.isEmpty }

  /// The place of a key among `keys`, or nil.
  func place(of key: String, among keys: [String]) -> Int? {
    isEmpty ? nil : find(key, Self.hash(key), keys).place
  }

  /// Adds the key that is about to stand at the end of `keys`; false if it stands there already.
  mutating func append(_ key: String, to keys: [String]) -> Bool {
    let hash = Self.hash(key)
    if 2 * (hashes.count + 1) > slots.count { grow() }
    let found = find(key, hash, keys)
    guard found.place == nil else { return false }
    hashes.append(hash)
    slots[found.slot] = Int32(truncatingIfNeeded: hashes.count)
    return true
  }

  /// Where the key stands, or the free slot for it.
  private func find(_ key: String, _ hash: UInt64, _ keys: [String]) -> (place: Int?, slot: Int) {
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] != 0 {
      let place = Int(slots[slot]) - 1
      if hashes[place] == hash, ByteString(keys[place]) == ByteString(key) { return (place, slot) }
      slot = (slot + 1) & (slots.count - 1)
    }
    return (nil, slot)
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: max(32, 2 * slots.count))
    for (place, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = Int32(truncatingIfNeeded: place + 1)
    }
  }

  /// FNV-1a (Fowler, Noll & Vo), its bits mixed so that the low ones are good.
  private static func hash(_ key: String) -> UInt64 {
    var hash = seed
    for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash ^ (hash >> 29)
  }
}
