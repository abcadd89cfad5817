/// SentencePiece's map of characters, as its models carry it: a double-array trie of the texts to be replaced, and the
/// texts that replace them.
///
/// Format: the trie's size in bytes (32 bits, little-endian), the trie's units of 32 bits, then the replacements, each
/// ended by a zero byte. A unit holds a label in its lowest 8 bits, an offset from bit 10 on, which bit 9 multiplies by
/// 256, and in bit 8 whether a leaf follows; a leaf has bit 31 set and a replacement's place below it (Yata's
/// Darts-clone, https://github.com/s-yata/darts-clone).
struct PrecompiledMap: Equatable, Sendable {
  private let units: [UInt32]
  private let replacements: [UInt8]
  /// Whether an entry begins with this ASCII character.
  private let beginsWith: [Bool]

  /// Reads a map; nil if it is damaged.
  init?(_ bytes: [UInt8]) {
    func word(_ index: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[index + $1]) << UInt32(8 * $1) }
    }
    guard bytes.count >= 4 else { return nil }
    let size = Int(word(0))
    guard size >= 4, size % 4 == 0, size <= bytes.count - 4 else { return nil }
    let units = stride(from: 4, to: 4 + size, by: 4).map(word)
    (self.units, replacements) = (units, Array(bytes[(4 + size)...]))
    beginsWith = (0..<128).map { Self.child(of: Self.offset(units[0]), UInt8($0), units) != nil }
  }

  /// Bytes of the longest text that it puts in the place of another.
  var longestReplacement: Int {
    replacements.split(separator: 0).reduce(0) { max($0, $1.count) }
  }

  /// Whether the map leaves a text of these bytes as it is; a quick look that may say no too often.
  func leavesUnchanged(_ bytes: some Sequence<UInt8>) -> Bool {
    bytes.allSatisfy { $0 < 0x80 && !beginsWith[Int($0)] }
  }

  /// What replaces a text; nil if nothing does.
  ///
  /// NB: as in the reference, the shortest beginning of the text that is in the map decides for all of it.
  private func replacement(_ text: some Sequence<UInt8>) -> String.UnicodeScalarView? {
    var place = Self.offset(units[0])
    for byte in text {
      guard byte != 0, let child = Self.child(of: place, byte, units) else { return nil }
      place = child ^ Self.offset(units[child])
      guard units[child] >> 8 & 1 == 1 else { continue }
      guard units.indices.contains(place) else { return nil }
      let begin = Int(units[place] & (1 << 31 - 1))
      guard begin <= replacements.count else { return nil }
      let end = replacements[begin...].firstIndex(of: 0) ?? replacements.count
      return String(decoding: replacements[begin..<end], as: UTF8.self).unicodeScalars
    }
    return nil
  }

  /// The unit that a byte leads to; nil if no entry goes on that way.
  private static func child(of place: Int, _ byte: UInt8, _ units: [UInt32]) -> Int? {
    let child = place ^ Int(byte)
    guard units.indices.contains(child), units[child] & (1 << 31 | 0xFF) == UInt32(byte) else { return nil }
    return child
  }

  private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 1 << 9) >> 6) }

  /// The text with its grapheme clusters, or else its characters, replaced.
  func apply(_ text: NormalizedText) -> NormalizedText {
    var result = Replacement()
    for cluster in String(decoding: text.bytes, as: UTF8.self) {
      let old = cluster.unicodeScalars
      if cluster.utf8.count < 6, let new = replacement(cluster.utf8) {
        result.replace(old.count, by: new)
        continue
      }
      for scalar in old {
        if let new = replacement(UTF8.encode(scalar)!) {
          result.replace(1, by: new)
        } else {
          result.made.append((scalar.value, 0))
        }
      }
    }
    return result.isModified ? result.assembled(from: text) : text
  }
}

/// The characters of a result, each with how many characters of the text it takes, less one: 1 stands for one that is
/// inserted and takes none.
private struct Replacement {
  var made: [(scalar: UInt32, change: Int)] = []
  private(set) var isModified = false

  mutating func replace(_ old: Int, by new: String.UnicodeScalarView) {
    isModified = true
    made += new.map { ($0.value, 0) }
    let difference = new.count - old
    // NB: as in the reference: of more characters the last ones are insertions; of fewer, the last one, or the one
    // before, takes the rest with it.
    if difference > 0 {
      for index in made.indices.suffix(difference) { made[index].change = 1 }
    } else if difference < 0, !made.isEmpty {
      made[made.count - 1].change += difference
    }
  }

  /// The characters, with where those that they take came from.
  func assembled(from text: NormalizedText) -> NormalizedText {
    let lengths = String(decoding: text.bytes, as: UTF8.self).unicodeScalars.map { UTF8.width($0) }
    var result = NormalizedText(capacity: text.bytes.count)
    var (position, next) = (0, 0)
    for (scalar, change) in made {
      guard change <= 0 else {
        result.append(scalar, from: position == 0 ? 0..<0 : text.origin(position - 1))
        continue
      }
      result.append(scalar, from: text.origin(Swift.min(position, text.bytes.count - 1)))
      for _ in 0..<Swift.min(1 - change, lengths.count - next) {
        position += lengths[next]
        next += 1
      }
    }
    return result
  }
}
