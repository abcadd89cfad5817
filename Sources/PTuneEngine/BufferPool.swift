#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory for the values of a step. Buffers go back to the pool and serve the next step, so that a step after the
/// first allocates next to nothing.
final class BufferPool {
  private var free: [Int: [UnsafeMutablePointer<Float>]] = [:]
  /// Bytes that the pool has taken from the system.
  private(set) var allocatedBytes = 0

  /// An uninitialised buffer of at least `count` floats, aligned for the widest vectors.
  func take(_ count: Int) -> UnsafeMutablePointer<Float> {
    let capacity = Self.capacity(for: count)
    if let buffer = free[capacity]?.popLast() { return buffer }
    let bytes = capacity * MemoryLayout<Float>.stride
    allocatedBytes += bytes
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    return raw.bindMemory(to: Float.self, capacity: capacity)
  }

  /// A buffer of zeros.
  func takeZeroed(_ count: Int) -> UnsafeMutablePointer<Float> {
    let buffer = take(count)
    memset(buffer, 0, count * MemoryLayout<Float>.stride)
    return buffer
  }

  /// Takes back a buffer that ``take(_:)`` gave for `count` floats.
  func give(_ buffer: UnsafeMutablePointer<Float>, _ count: Int) {
    free[Self.capacity(for: count), default: []].append(buffer)
  }

  deinit {
    for buffers in free.values { for buffer in buffers { UnsafeMutableRawPointer(buffer).deallocate() } }
  }

  /// Sizes come in steps of a quarter of a power of two: batches of unequal lengths share buffers, and at most a
  /// quarter is wasted.
  private static func capacity(for count: Int) -> Int {
    let least = max(count, 64)
    let step = max(1, (1 << (Int.bitWidth - 1 - least.leadingZeroBitCount)) / 4)
    return (least + step - 1) / step * step
  }
}
