/// A tensor to be written.
public struct TensorData: Sendable {
  /// Its name.
  public let name: String
  /// The type of its elements.
  public let type: TensorType
  /// Its shape; empty for a scalar.
  public let shape: [Int]
  /// Its elements, row-major, little-endian.
  public let bytes: [UInt8]

  /// A tensor of any type.
  public init(name: String, type: TensorType, shape: [Int], bytes: [UInt8]) {
    self.name = name
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// A tensor of 32-bit floats, `[shape]`, row-major.
  public init(name: String, shape: [Int], floats: some Sequence<Float>) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(floats.underestimatedCount * 4)
    for value in floats {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    self.init(name: name, type: .f32, shape: shape, bytes: bytes)
  }
}

/// Writes safetensors files. The same tensors give the same bytes, in whatever order they come, as with the
/// reference implementation: sorted by type, the widest first, which keeps every tensor aligned, and then by
/// name.
public enum SafetensorsWriter {
  /// Writes a file, whole or not at all. Throws SafetensorsError or FileError.
  ///
  /// - Parameters:
  ///   - mapped: tensors that stand in other files, which are not read into memory.
  ///   - metadata: strings for `__metadata__`; `["format": "pt"]` is what PyTorch's readers look for.
  public static func write(
    _ tensors: [TensorData], copying mapped: [(name: String, file: SafetensorsFile)] = [],
    metadata: [String: String] = [:], to path: String, within root: String? = nil
  ) throws {
    var entries = tensors.map {
      Entry(name: $0.name, type: $0.type, shape: $0.shape, content: .bytes($0.bytes))
    }
    for (name, file) in mapped {
      guard let tensor = file.tensor(name) else {
        throw SafetensorsError(file: file.path, problem: .missing(tensor: name))
      }
      entries.append(
        Entry(name: name, type: tensor.type, shape: tensor.shape, content: .mapped(file, tensor)))
    }
    entries.sort { $0.type == $1.type ? ByteString.less($0.name, $1.name) : $0.type > $1.type }
    let header = try header(entries, metadata: metadata, path: path)
    let file = try AtomicFile(path, within: root)
    try file.write(header)
    for entry in entries {
      switch entry.content {
      case .bytes(let bytes): try file.write(bytes)
      case .mapped(let source, let tensor):
        try file.write(source.unsafeBytes(of: tensor))
        withExtendedLifetime(source) {}
      }
    }
    try file.commit()
  }

  private struct Entry {
    enum Content {
      case bytes([UInt8])
      case mapped(SafetensorsFile, TensorInfo)
    }
    let name: String
    let type: TensorType
    let shape: [Int]
    let content: Content

    var byteCount: Int {
      switch content {
      case .bytes(let bytes): bytes.count
      case .mapped(_, let tensor): tensor.range.count
      }
    }
  }

  private static func header(
    _ tensors: [Entry], metadata: [String: String], path: String
  ) throws(SafetensorsError) -> [UInt8] {
    var header = JSONObject()
    if !metadata.isEmpty {
      var strings = JSONObject()
      for key in metadata.keys.sorted(by: ByteString.less) {
        strings[key] = metadata[key].map { .string($0) }
      }
      header["__metadata__"] = .object(strings)
    }
    var begin = 0
    for tensor in tensors {
      try check(tensor, path)
      let end = begin + tensor.byteCount
      let member: JSONValue = [
        "dtype": .string(tensor.type.rawValue), "shape": .array(tensor.shape.map { .int($0) }),
        "data_offsets": [.int(begin), .int(end)],
      ]
      guard tensor.name != "__metadata__", header.append(tensor.name, member) else {
        throw SafetensorsError(file: path, problem: .duplicate(tensor: tensor.name))
      }
      begin = end
    }
    var text = JSONValue.object(header).bytes(.compact)
    let padding = (8 - text.count % 8) % 8
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
    return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
  }

  private static func check(_ tensor: Entry, _ path: String) throws(SafetensorsError) {
    var needed = tensor.type.byteCount
    for dimension in tensor.shape {
      let (product, overflow) = needed.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else {
        throw SafetensorsError(file: path, problem: .overflow(tensor: tensor.name, shape: tensor.shape))
      }
      needed = product
    }
    guard needed == tensor.byteCount else {
      throw SafetensorsError(
        file: path, problem: .size(tensor: tensor.name, bytes: tensor.byteCount, needed: needed))
    }
  }
}
