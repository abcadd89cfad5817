/// A safetensors file, mapped into memory and checked when it is opened.
public final class SafetensorsFile: Sendable {
  /// The path as it was given.
  public let path: String
  /// The tensors, in the order of their data.
  public let tensors: [TensorInfo]
  /// The strings of `__metadata__`, such as `format: pt`.
  public let metadata: [String: String]
  private let file: MappedFile
  private let places: [ByteString: Int]

  /// Opens a file. Throws FileError or SafetensorsError.
  public init(_ path: String) throws {
    let file = try MappedFile(path)
    let header = try file.withBytes { try SafetensorsHeader(path, $0) }
    self.path = path
    self.file = file
    tensors = header.tensors
    metadata = header.metadata
    places = Dictionary(
      uniqueKeysWithValues: header.tensors.enumerated().map { (ByteString($1.name), $0) })
  }

  /// The names of the tensors, sorted.
  public var names: [String] { tensors.map(\.name).sorted(by: ByteString.less) }

  /// What is known about a tensor, or nil if there is none of this name.
  public func tensor(_ name: String) -> TensorInfo? {
    places[ByteString(name)].map { tensors[$0] }
  }

  /// The bytes of a tensor as they stand in the file, little-endian. NB: valid only as long as this object
  /// lives.
  ///
  /// Throws SafetensorsError if there is no such tensor.
  public func unsafeBytes(_ name: String) throws(SafetensorsError) -> UnsafeRawBufferPointer {
    guard let tensor = tensor(name) else {
      throw SafetensorsError(file: path, problem: .missing(tensor: name))
    }
    return unsafeBytes(of: tensor)
  }

  /// The values of a tensor of floats of any width as 32-bit floats.
  ///
  /// Throws SafetensorsError if there is no such tensor or it does not contain floats.
  public func floats(_ name: String) throws(SafetensorsError) -> FloatTensor {
    guard let tensor = tensor(name) else {
      throw SafetensorsError(file: path, problem: .missing(tensor: name))
    }
    guard let floats = FloatTensor(tensor, unsafeBytes(of: tensor), owner: self) else {
      throw SafetensorsError(file: path, problem: .notFloats(tensor: name, tensor.type))
    }
    return floats
  }

  func unsafeBytes(of tensor: TensorInfo) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.unsafeBytes[tensor.range])
  }
}
