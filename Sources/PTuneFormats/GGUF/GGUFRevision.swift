/// A GGUF file with some more of what it has: elements of metadata arrays, and rows of tensors. Everything else keeps its
/// bytes and its order.
public struct GGUFRevision {
  /// How a tensor that changes is written.
  public enum Table: Sendable {
    /// Its own rows as they are, then these, of its type.
    case appended([Float])
    /// Its own rows as 32-bit floats, then these.
    case widened([Float])
  }

  private let file: GGUFFile
  private var arrays: [String: [GGUFValue]] = [:]
  private var numbers: [String: Int] = [:]
  private var tables: [String: Table] = [:]
  private var added: [(name: String, source: GGUFTensor, rows: [Float])] = []

  /// Starts with the file as it is.
  public init(_ file: GGUFFile) { self.file = file }

  /// Appends to an array of the metadata.
  ///
  /// - Precondition: the file has the array, and these are of its type.
  public mutating func append(_ elements: [GGUFValue], to key: String) { arrays[key] = elements }

  /// Sets an integer of the metadata that the file has.
  public mutating func set(_ key: String, to number: Int) { numbers[key] = number }

  /// Writes a tensor of rows, `[rows, columns]`, otherwise.
  public mutating func change(_ tensor: String, _ table: Table) { tables[tensor] = table }

  /// Adds a tensor: the rows of another one, and more, of the same type.
  public mutating func add(_ name: String, rowsOf source: GGUFTensor, and rows: [Float]) {
    added.append((name, source, rows))
  }

  /// Writes the file, whole or not at all. Throws FileError or GGUFError.
  public func write(to path: String) throws {
    let tensors =
      file.tensors.map { tensor in
        switch tables[tensor.name] {
        case nil: Entry(name: tensor.name, type: tensor.type, source: tensor)
        case .appended(let rows)?:
          Entry(name: tensor.name, type: tensor.type, source: tensor, rows: rows)
        case .widened(let rows)?: Entry(name: tensor.name, type: .f32, source: tensor, rows: rows)
        }
      } + added.map { Entry(name: $0.name, type: $0.source.type, source: $0.source, rows: $0.rows) }
    let alignment = file.alignment
    var header = try GGUFBytes(file.metadata(arrays, numbers, tensorCount: tensors.count))
    var offset = 0
    for tensor in tensors {
      header.append(tensor.name)
      header.append(UInt32(tensor.shape.count))
      for dimension in tensor.shape.reversed() { header.append(UInt64(dimension)) }
      header.append(tensor.type.rawValue)
      header.append(UInt64(offset))
      offset = aligned(offset + tensor.byteCount, alignment)
    }
    let output = try AtomicFile(path)
    try output.write(header.bytes + padding(header.bytes.count, alignment))
    for tensor in tensors {
      if tensor.type == tensor.source.type {
        try output.write(file.unsafeBytes(of: tensor.source))
      } else {
        try file.forEachRow(of: tensor.source) { try output.write(UnsafeRawBufferPointer($0)) }
      }
      try output.write(tensor.added + padding(tensor.byteCount, alignment))
    }
    try output.commit()
    withExtendedLifetime(file) {}
  }

  private func aligned(_ count: Int, _ alignment: Int) -> Int {
    (count + alignment - 1) / alignment * alignment
  }

  private func padding(_ count: Int, _ alignment: Int) -> [UInt8] {
    Array(repeating: 0, count: aligned(count, alignment) - count)
  }

  /// A tensor of the new file.
  private struct Entry {
    let name: String
    let type: GGUFTensorType
    let source: GGUFTensor
    let added: [UInt8]
    let shape: [Int]

    init(name: String, type: GGUFTensorType, source: GGUFTensor, rows: [Float] = []) {
      (self.name, self.type, self.source) = (name, type, source)
      added = Quantization.bytes(rows, as: type)
      var shape = source.shape
      if !rows.isEmpty { shape[0] += rows.count / (source.count / shape[0]) }
      self.shape = shape
    }

    var byteCount: Int { shape.reduce(1, *) / type.blockCount * type.blockBytes }
  }
}

/// What a GGUF file's header is made of, little-endian.
struct GGUFBytes {
  private(set) var bytes: [UInt8]

  init(_ bytes: [UInt8] = []) { self.bytes = bytes }

  mutating func append(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func append(_ text: String) {
    append(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func append(raw other: UnsafeRawBufferPointer) { bytes.append(contentsOf: other) }

  /// A value as a type of the format has it.
  ///
  /// - Precondition: it is one of that type.
  mutating func append(_ value: GGUFValue, as type: GGUFValueType) {
    let integer = value.integer ?? 0
    switch type {
    case .uint8, .int8, .bool: append(UInt8(truncatingIfNeeded: integer))
    case .uint16, .int16: append(UInt16(truncatingIfNeeded: integer))
    case .uint32, .int32: append(UInt32(truncatingIfNeeded: integer))
    case .uint64, .int64: append(UInt64(truncatingIfNeeded: integer))
    case .float32: append(Float(value.number ?? 0).bitPattern)
    case .float64: append((value.number ?? 0).bitPattern)
    case .string: append(value.string ?? "")
    case .array: preconditionFailure("arrays of arrays are not appended to")
    }
  }
}

extension GGUFFile {
  /// The header up to the list of tensors, with some arrays longer and some integers changed.
  fileprivate func metadata(
    _ arrays: [String: [GGUFValue]], _ numbers: [String: Int], tensorCount: Int
  ) throws(GGUFError) -> [UInt8] {
    defer { withExtendedLifetime(self) {} }
    let (all, start) = (unsafeBytes, GGUFHeader.metadataStart)
    var result = GGUFBytes(Array(all[..<GGUFHeader.tensorCountStart]))
    result.append(UInt64(tensorCount))
    result.append(UInt64(metadata.count))
    do throws(GGUFError.Problem) {
      var cursor = GGUFCursor(all, at: start)
      for _ in 0..<metadata.count {
        let begin = cursor.place
        let key = try cursor.string("a metadata key")
        let type = try cursor.valueType(key)
        let valueStart = cursor.place
        let value = try cursor.value(key, type)
        if let number = numbers[key] {
          result.append(raw: UnsafeRawBufferPointer(rebasing: all[begin..<valueStart]))
          result.append(.integer(Int64(number)), as: type)
        } else if let elements = arrays[key], case .array(let array) = value {
          result.append(raw: UnsafeRawBufferPointer(rebasing: all[begin..<valueStart]))
          result.append(array.type.rawValue)
          result.append(UInt64(array.count + elements.count))
          result.append(raw: UnsafeRawBufferPointer(rebasing: all[array.start..<cursor.place]))
          for element in elements { result.append(element, as: array.type) }
        } else {
          result.append(raw: UnsafeRawBufferPointer(rebasing: all[begin..<cursor.place]))
        }
      }
    } catch {
      throw GGUFError(file: path, problem: error)
    }
    return result.bytes
  }

  /// Shows each row of a tensor, `[rows, columns]`, as 32-bit floats.
  public func forEachRow(
    of tensor: GGUFTensor, _ body: (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws {
    defer { withExtendedLifetime(self) {} }
    let columns = tensor.count / tensor.shape[0]
    let size = columns / tensor.type.blockCount * tensor.type.blockBytes
    let bytes = unsafeBytes(of: tensor)
    let line = UnsafeMutableBufferPointer<Float>.allocate(capacity: columns)
    defer { line.deallocate() }
    for row in 0..<tensor.shape[0] {
      Dequantization.convert(
        UnsafeRawBufferPointer(rebasing: bytes[row * size..<(row + 1) * size]), of: tensor.type, into: line)
      try body(line)
    }
  }
}
