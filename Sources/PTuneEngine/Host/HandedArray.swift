import PTuneLibc
import Synchronization

/// An array of the host at a fixed address that plugins are given to read.
///
/// C's `const` keeps nobody from writing. While ``HostMemory`` is watched, bytes of a pattern stand on either side of the
/// array, and when it goes away it is compared with what it was.
final class HandedArray<Element: BitwiseCopyable> {
  /// The first element; valid memory even if there is none.
  let pointer: UnsafeMutablePointer<Element>
  private let block: UnsafeMutableRawPointer
  private let count: Int
  private let watch: (name: String, original: [Element]?, filler: UInt8)?

  /// Bytes of the pattern on either side.
  private static var margin: Int { 64 }
  private var bytes: Int { count * MemoryLayout<Element>.stride }

  /// A copy of some values.
  ///
  /// - Parameters:
  ///   - name: what plugins know it as.
  ///   - mayChange: whether plugins may write into it.
  init(_ values: some Collection<Element>, _ name: String, mayChange: Bool = false) {
    let filler = HostMemory.filler
    let margin = filler == nil ? 0 : Self.margin
    count = values.count
    let bytes = max(1, values.count) * MemoryLayout<Element>.stride
    block = .allocate(byteCount: bytes + 2 * margin, alignment: 64)
    if let filler { block.initializeMemory(as: UInt8.self, repeating: filler, count: bytes + 2 * margin) }
    pointer = (block + margin).bindMemory(to: Element.self, capacity: max(1, values.count))
    _ = UnsafeMutableBufferPointer(start: pointer, count: values.count).initialize(from: values)
    watch = filler.map { (name, mayChange ? nil : Array(values), $0) }
  }

  deinit {
    if let watch {
      let raw = UnsafeRawPointer(pointer)
      func isWhole(_ begin: UnsafeRawPointer) -> Bool {
        UnsafeRawBufferPointer(start: begin, count: Self.margin).allSatisfy { $0 == watch.filler }
      }
      if !isWhole(UnsafeRawPointer(block)) { HostMemory.report("in front of '\(watch.name)'") }
      if count > 0, !isWhole(raw + bytes) { HostMemory.report("past the end of '\(watch.name)'") }
      if let original = watch.original,
        original.withUnsafeBytes({ memcmp($0.baseAddress ?? raw, raw, bytes) != 0 })
      {
        HostMemory.report("into '\(watch.name)'")
      }
    }
    block.deallocate()
  }
}

/// Watches over the arrays that plugins are given, for checks of a plugin.
public enum HostMemory {
  private struct Watch {
    var filler: UInt8?
    var damage: [String] = []
  }
  private static let watch = Mutex(Watch())

  /// The byte of the pattern around arrays; nil: nobody watches.
  static var filler: UInt8? { watch.withLock { $0.filler } }

  static func report(_ place: String) {
    watch.withLock { if !$0.damage.contains(place) { $0.damage.append(place) } }
  }

  /// Runs `body`, and says where plugins wrote in arrays that were handed out and went away meanwhile: "into 'tokens'",
  /// "past the end of 'offsets'".
  ///
  /// - Parameter filler: what is read beyond arrays. Results that depend on it show that somebody read there.
  public static func watching<Result>(
    filler: UInt8, _ body: () throws -> Result
  ) rethrows -> (result: Result, damage: [String]) {
    watch.withLock { $0 = Watch(filler: filler) }
    defer { watch.withLock { $0.filler = nil } }
    let result = try body()
    return (result, watch.withLock { $0.damage })
  }
}
