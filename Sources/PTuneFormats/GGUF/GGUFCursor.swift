/// Reads the little-endian numbers and strings of a GGUF file one after the other, and never beyond its end.
struct GGUFCursor {
  let bytes: UnsafeRawBufferPointer
  var place = 0

  init(_ bytes: UnsafeRawBufferPointer, at place: Int = 0) {
    (self.bytes, self.place) = (bytes, place)
  }

  var left: Int { bytes.count - place }

  mutating func number<Number: FixedWidthInteger>(
    _ what: @autoclosure () -> String, as type: Number.Type = Number.self
  ) throws(GGUFError.Problem) -> Number {
    let start = try skip(UInt64(MemoryLayout<Number>.size), what()).lowerBound
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: start, as: Number.self))
  }

  /// How many of something follow: not more than fit into the rest of the file.
  ///
  /// - Parameter least: the bytes that one of them takes at least.
  mutating func count(
    _ what: @autoclosure () -> String, least: Int
  ) throws(GGUFError.Problem) -> Int {
    let count: UInt64 = try number(what())
    let (needed, overflow) = count.multipliedReportingOverflow(by: UInt64(least))
    guard !overflow, needed <= UInt64(left) else {
      throw .truncated(what: what(), needed: overflow ? .max : needed, left: left)
    }
    return Int(count)
  }

  /// The place of the bytes passed over.
  @discardableResult
  mutating func skip(
    _ count: UInt64, _ what: @autoclosure () -> String
  ) throws(GGUFError.Problem) -> Range<Int> {
    guard count <= UInt64(left) else { throw .truncated(what: what(), needed: count, left: left) }
    defer { place += Int(count) }
    return place..<place + Int(count)
  }

  /// The place of a string's bytes, which its length goes before.
  @discardableResult
  mutating func skipString(_ what: @autoclosure () -> String) throws(GGUFError.Problem) -> Range<Int> {
    try skip(try number(what(), as: UInt64.self), what())
  }

  mutating func string(_ what: @autoclosure () -> String) throws(GGUFError.Problem) -> String {
    let range = try skipString(what())
    if let invalid = UTF8Text.firstInvalid(UnsafeRawBufferPointer(rebasing: bytes[range])) {
      throw .encoding(what: what(), byte: range.lowerBound + invalid)
    }
    return String(decoding: bytes[range], as: UTF8.self)
  }
}
