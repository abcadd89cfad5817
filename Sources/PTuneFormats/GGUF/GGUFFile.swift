/// A GGUF file of version 2 or 3, as llama.cpp has them, mapped into memory and checked when it is opened.
public final class GGUFFile: Sendable {
  /// The path as it was given.
  public let path: String
  /// The tensors, in the order of their data.
  public let tensors: [GGUFTensor]
  /// The metadata; arrays stand in the file until they are asked for.
  public let metadata: [String: GGUFValue]
  /// The multiple at which tensors begin.
  let alignment: Int
  private let file: MappedFile
  private let places: [String: Int]

  /// Opens a file. Throws FileError or GGUFError.
  public init(_ path: String) throws {
    let file = try MappedFile(path)
    let header = try file.withBytes { try GGUFHeader(path, $0) }
    self.path = path
    self.file = file
    tensors = header.tensors
    metadata = header.metadata
    alignment = header.alignment
    places = Dictionary(uniqueKeysWithValues: header.tensors.enumerated().map { ($1.name, $0) })
  }

  /// What is known about a tensor, or nil if there is none of this name.
  public func tensor(_ name: String) -> GGUFTensor? { places[name].map { tensors[$0] } }

  /// The values of a tensor, dequantised: the file's own memory for F32, else a copy that lives as long as the result.
  ///
  /// Throws GGUFError if there is no such tensor.
  public func floats(_ name: String) throws(GGUFError) -> FloatTensor {
    guard let tensor = tensor(name) else { throw GGUFError(file: path, problem: .missing(tensor: name)) }
    let bytes = unsafeBytes(of: tensor)
    if tensor.type == .f32, let mapped = FloatTensor(shape: tensor.shape, mapped: bytes, owner: self) {
      return mapped
    }
    return FloatTensor(shape: tensor.shape) { values in
      Dequantization.convert(bytes, of: tensor.type, into: values)
    }
  }

  /// The strings of an array of the metadata; nil if the key is absent.
  ///
  /// Throws GGUFError if the key holds something else.
  public func strings(_ key: String) throws(GGUFError) -> [String]? {
    try elements(key, "an array of strings", \.string)
  }

  /// The integers of an array of the metadata; nil if the key is absent.
  ///
  /// Throws GGUFError if the key holds something else.
  public func integers(_ key: String) throws(GGUFError) -> [Int]? {
    try elements(key, "an array of integers", \.integer)
  }

  /// The numbers of an array of the metadata; nil if the key is absent.
  ///
  /// Throws GGUFError if the key holds something else.
  public func numbers(_ key: String) throws(GGUFError) -> [Double]? {
    try elements(key, "an array of numbers", \.number)
  }

  private func elements<Element>(
    _ key: String, _ expected: String, _ get: (GGUFValue) -> Element?
  ) throws(GGUFError) -> [Element]? {
    let array = try value(key, expected) { value in
      if case .array(let array) = value { array } else { nil }
    }
    guard let array else { return nil }
    defer { withExtendedLifetime(self) {} }
    do throws(GGUFError.Problem) {
      var cursor = GGUFCursor(file.unsafeBytes, at: array.start)
      var elements: [Element] = []
      elements.reserveCapacity(array.count)
      for _ in 0..<array.count {
        let value = try cursor.value(key, array.type)
        guard let element = get(value) else { throw .value(key: key, expected: expected, found: value.kind) }
        elements.append(element)
      }
      return elements
    } catch {
      throw GGUFError(file: path, problem: error)
    }
  }

  /// A value of the metadata, as `get` takes it; nil if the key is absent.
  ///
  /// - Parameter expected: what it should be, for the error: "an integer".
  /// - Throws: `GGUFError` if the key holds something else.
  public func value<Value>(
    _ key: String, _ expected: String, _ get: (GGUFValue) -> Value?
  ) throws(GGUFError) -> Value? {
    guard let value = metadata[key] else { return nil }
    guard let typed = get(value) else {
      throw GGUFError(file: path, problem: .value(key: key, expected: expected, found: value.kind))
    }
    return typed
  }

  /// The same for a key that has to be there.
  public func required<Value>(
    _ key: String, _ expected: String, _ get: (GGUFValue) -> Value?
  ) throws(GGUFError) -> Value {
    guard let value = try value(key, expected, get) else {
      throw GGUFError(file: path, problem: .value(key: key, expected: expected, found: nil))
    }
    return value
  }

  /// The whole file.
  var unsafeBytes: UnsafeRawBufferPointer { file.unsafeBytes }

  func unsafeBytes(of tensor: GGUFTensor) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: file.unsafeBytes[tensor.range])
  }
}
