/// Eight flags for each code point; pages of equal content that came as one run share their storage.
struct ScalarTable: Sendable {
  private var flags: [UInt8] = Array(repeating: 0, count: 256)
  private var pages: [UInt16] = Array(repeating: 0, count: 0x1100)
  /// Which pages of flags stand for more than one page of code points and are copied before they are written.
  private var isShared = [true]

  /// The flags of a scalar.
  @inline(__always)
  subscript(scalar: UInt32) -> UInt8 {
    flags[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 0xFF)]
  }

  /// Sets flags for runs given as first, last, first, last, ….
  mutating func set(_ flag: UInt8, runs: [UInt32]) {
    for index in stride(from: 0, to: runs.count, by: 2) { set(flag, runs[index], runs[index + 1]) }
  }

  /// Sets flags for all scalars from `first` to `last`.
  mutating func set(_ flag: UInt8, _ first: UInt32, _ last: UInt32) {
    /// Whole untouched pages of this run share one page of flags.
    var uniform: UInt16?
    for page in Int(first >> 8)...Int(last >> 8) {
      let begin = Swift.max(Int(first), page << 8)
      let end = Swift.min(Int(last), page << 8 | 0xFF)
      let whole = end - begin == 0xFF && pages[page] == 0
      if whole, let uniform {
        pages[page] = uniform
        isShared[Int(uniform)] = true
        continue
      }
      if isShared[Int(pages[page])] {
        let old = Int(pages[page]) << 8
        pages[page] = UInt16(isShared.count)
        isShared.append(false)
        flags.append(contentsOf: flags[old..<old + 256])
      }
      let base = Int(pages[page]) << 8
      for scalar in begin...end { flags[base | scalar & 0xFF] |= flag }
      if whole { uniform = pages[page] }
    }
  }
}
