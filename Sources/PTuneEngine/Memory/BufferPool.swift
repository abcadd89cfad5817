import PTuneLibc

/// Memory for the values of a step: buffers come from one region, at the lowest place that is free, and go back to it.
///
/// The region is reserved once and the system gives it memory page by page as it is first used. So a step after the
/// first takes nothing from the system unless it needs more than any before it, whatever the lengths of its texts.
final class BufferPool {
  /// Buffers begin at multiples of the widest vector.
  private static let alignment = 64
  private static let unit = alignment / MemoryLayout<Float>.stride

  private let base: UnsafeMutablePointer<Float>
  /// Floats reserved.
  private let capacity: Int
  /// Free places below `top`, ascending, with no two side by side. All in floats from `base`.
  private var holes: [Range<Int>] = []
  private var sizes: [Int: Int] = [:]
  /// How often a buffer has to come back before it is free, where that is more than once.
  private var holders: [Int: Int] = [:]
  /// Everything from here on is free.
  private var top = 0
  private var highest = 0

  /// Bytes that were ever in use at once, gaps included.
  var allocatedBytes: Int { highest * MemoryLayout<Float>.stride }

  init() {
    // Address space is plentiful, but a limit on it (ulimit -v) may ask for less.
    var bytes = 1 << 40
    var memory = Self.reserve(bytes)
    while memory == nil, bytes > 1 << 24 {
      bytes /= 2
      memory = Self.reserve(bytes)
    }
    capacity = memory == nil ? 0 : bytes / MemoryLayout<Float>.stride
    base = memory?.bindMemory(to: Float.self, capacity: capacity) ?? .allocate(capacity: 1)
  }

  deinit {
    if capacity > 0 { munmap(base, capacity * MemoryLayout<Float>.stride) } else { base.deallocate() }
  }

  private static func reserve(_ bytes: Int) -> UnsafeMutableRawPointer? {
    #if canImport(Darwin)
      let flags = MAP_PRIVATE | MAP_ANON
    #else
      let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
    #endif
    let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0)
    guard let memory, memory != MAP_FAILED else { return nil }
    #if os(Linux)
      // Large pages, where the system has them: fewer are to be looked up, and to be cleared in the first step.
      madvise(memory, bytes, MADV_HUGEPAGE)
    #endif
    return memory
  }

  /// An uninitialised buffer of `count` floats.
  func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let size = (max(count, 1) + Self.unit - 1) / Self.unit * Self.unit
    let begin: Int
    if let place = holes.firstIndex(where: { $0.count >= size }) {
      begin = holes[place].lowerBound
      if holes[place].count == size {
        holes.remove(at: place)
      } else {
        holes[place] = begin + size..<holes[place].upperBound
      }
    } else {
      begin = top
      top += size
      highest = max(highest, top)
      precondition(
        top <= capacity, "out of memory: a step needs more than \(capacity * 4 >> 20) MB of address space")
    }
    sizes[begin] = size
    return base + begin
  }

  /// Lets a buffer have one more holder, each of whom gives it back.
  func share(_ buffer: UnsafeMutablePointer<Float>) { holders[buffer - base, default: 1] += 1 }

  /// Whether somebody else holds the buffer too, so that its values have to stay.
  func isShared(_ buffer: UnsafeMutablePointer<Float>) -> Bool { holders[buffer - base] != nil }

  /// Takes back a buffer that ``take(_:)`` gave.
  func give(_ buffer: UnsafeMutablePointer<Float>) {
    if let count = holders[buffer - base] {
      holders[buffer - base] = count > 2 ? count - 1 : nil
      return
    }
    // Whatever comes back was handed out, so its size is known.
    guard let size = sizes.removeValue(forKey: buffer - base) else { return }
    var range = buffer - base..<buffer - base + size
    let next = firstHole(from: range.lowerBound)
    if next < holes.count, holes[next].lowerBound == range.upperBound {
      range = range.lowerBound..<holes.remove(at: next).upperBound
    }
    if next > 0, holes[next - 1].upperBound == range.lowerBound {
      range = holes.remove(at: next - 1).lowerBound..<range.upperBound
    }
    if range.upperBound == top {
      top = range.lowerBound
    } else {
      holes.insert(range, at: firstHole(from: range.lowerBound))
    }
  }

  /// The place of the first hole that begins at `offset` or after.
  private func firstHole(from offset: Int) -> Int {
    var (low, high) = (0, holes.count)
    while low < high {
      let middle = (low + high) / 2
      if holes[middle].lowerBound < offset { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
