/// What a GGUF file says about one tensor.
public struct GGUFTensor: Equatable, Sendable {
  /// Its name.
  public let name: String
  /// The type of its elements.
  public let type: GGUFTensorType
  /// Its shape, rows first, as other formats give it. (The file begins with the columns.)
  public let shape: [Int]
  /// Its place in the file, in bytes from the beginning.
  public let range: Range<Int>

  /// How many elements it has.
  public var count: Int { shape.reduce(1, *) }
}

/// All of a GGUF file but the tensors' data, checked: whatever it counts fits into the file, and tensors stand
/// within it, aligned, without overlaps. Source: github.com/ggml-org/ggml, docs/gguf.md.
struct GGUFHeader {
  private static let magic = Array("GGUF".utf8)
  private static let defaultAlignment = 32
  private static let mostDimensions = 4
  private static let leastEntryBytes = 8 + 4 + 1
  private static let leastTensorBytes = 8 + 4 + 8 + 4 + 8

  /// Where the number of tensors stands, behind the version.
  static let tensorCountStart = 4 + 4
  /// Where the metadata begin, behind the numbers of tensors and of entries.
  static let metadataStart = tensorCountStart + 8 + 8

  let metadata: [String: GGUFValue]
  /// The multiple at which tensors begin.
  let alignment: Int
  /// In the order of their data.
  let tensors: [GGUFTensor]

  init(_ file: String, _ bytes: UnsafeRawBufferPointer) throws(GGUFError) {
    do throws(GGUFError.Problem) {
      var cursor = GGUFCursor(bytes)
      guard bytes.starts(with: Self.magic) else { throw .magic }
      try cursor.skip(UInt64(Self.magic.count), "the header")
      let version: UInt32 = try cursor.number("the header")
      guard (2...3).contains(version) else {
        throw (2...3).contains(version.byteSwapped) ? .bigEndian : .version(version)
      }
      let tensorCount = try cursor.count("the list of tensors", least: Self.leastTensorBytes)
      let entryCount = try cursor.count("the metadata", least: Self.leastEntryBytes)
      metadata = try Self.metadata(&cursor, entryCount)
      alignment = try Self.alignment(metadata)
      tensors = try Self.tensors(&cursor, tensorCount, alignment: alignment)
    } catch {
      throw GGUFError(file: file, problem: error)
    }
  }

  private static func metadata(
    _ cursor: inout GGUFCursor, _ count: Int
  ) throws(GGUFError.Problem) -> [String: GGUFValue] {
    var metadata: [String: GGUFValue] = [:]
    for _ in 0..<count {
      let key = try cursor.string("a metadata key")
      let value = try cursor.value(key, try cursor.valueType(key))
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw .duplicate(what: "the key '\(key)'")
      }
    }
    return metadata
  }

  private static func alignment(_ metadata: [String: GGUFValue]) throws(GGUFError.Problem) -> Int {
    let key = "general.alignment"
    guard let value = metadata[key] else { return defaultAlignment }
    guard let alignment = value.integer, (1...Int(UInt32.max)).contains(alignment),
      alignment.nonzeroBitCount == 1
    else { throw .value(key: key, expected: "a power of two", found: value.kind) }
    return alignment
  }

  /// A tensor as the list has it, before the place where the data begin is known.
  private struct Entry {
    let name: String
    let type: GGUFTensorType
    let shape: [Int]
    let offset: UInt64
    let byteCount: Int
  }

  private static func tensors(
    _ cursor: inout GGUFCursor, _ count: Int, alignment: Int
  ) throws(GGUFError.Problem) -> [GGUFTensor] {
    var entries: [Entry] = []
    var names: Set<String> = []
    for _ in 0..<count {
      let entry = try entry(&cursor)
      guard names.insert(entry.name).inserted else { throw .duplicate(what: "the tensor '\(entry.name)'") }
      guard entry.offset % UInt64(alignment) == 0 else {
        throw .unaligned(tensor: entry.name, offset: entry.offset, alignment: alignment)
      }
      entries.append(entry)
    }
    let size = cursor.bytes.count
    let dataStart = (cursor.place + alignment - 1) / alignment * alignment
    var tensors: [GGUFTensor] = []
    for entry in entries.sorted(by: { $0.offset < $1.offset }) {
      let (start, overflow) = entry.offset.addingReportingOverflow(UInt64(dataStart))
      let (end, overflowAtEnd) = start.addingReportingOverflow(UInt64(entry.byteCount))
      guard !overflow, !overflowAtEnd, end <= UInt64(size) else {
        throw .truncatedData(tensor: entry.name, end: overflow || overflowAtEnd ? .max : end, size: size)
      }
      if let last = tensors.last, last.range.upperBound > Int(start) {
        throw .overlap(tensor: entry.name, other: last.name)
      }
      tensors.append(
        GGUFTensor(name: entry.name, type: entry.type, shape: entry.shape, range: Int(start)..<Int(end)))
    }
    return tensors
  }

  private static func entry(_ cursor: inout GGUFCursor) throws(GGUFError.Problem) -> Entry {
    let name = try cursor.string("a tensor's name")
    let what = { "tensor '\(name)' in the list" }
    let dimensionCount: UInt32 = try cursor.number(what())
    guard (1...mostDimensions).contains(Int(dimensionCount)) else {
      throw .shape(tensor: name, [UInt64(dimensionCount)])
    }
    var dimensions: [UInt64] = []
    for _ in 0..<dimensionCount { dimensions.append(try cursor.number(what())) }
    let number: UInt32 = try cursor.number(what())
    guard let type = GGUFTensorType(rawValue: number) else { throw .tensorType(tensor: name, number) }
    let offset: UInt64 = try cursor.number(what())

    var count = 1
    for dimension in dimensions {
      guard dimension > 0, let dimension = Int(exactly: dimension) else {
        throw .shape(tensor: name, dimensions)
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw .shape(tensor: name, dimensions) }
      count = product
    }
    let shape = dimensions.reversed().map { Int($0) }
    guard shape[shape.count - 1] % type.blockCount == 0 else {
      throw .row(tensor: name, columns: shape[shape.count - 1], type: type)
    }
    let (byteCount, overflow) = (count / type.blockCount).multipliedReportingOverflow(by: type.blockBytes)
    guard !overflow else { throw .shape(tensor: name, dimensions) }
    return Entry(name: name, type: type, shape: shape, offset: offset, byteCount: byteCount)
  }
}
