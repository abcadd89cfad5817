/// A base model in one GGUF file, as if it were config.json and weights under the names that Hugging Face gives them.
///
/// A weight is dequantised whenever it is asked for, into memory of its own (4 bytes a number), which goes with the
/// last holder; only F32 tensors whose order stays are the mapped file's own.
public final class GGUFModel: ModelWeights {
  /// The keys of config.json, made from the metadata.
  public let config: ModelConfig
  private let file: GGUFFile
  /// By the names of Hugging Face.
  private let places: [String: (tensor: String, order: GGUFOrder)]

  /// Opens a file. Throws FileError or GGUFError.
  public init(_ path: String) throws {
    let file = try GGUFFile(path)
    if let parts = try file.value("split.count", "an integer", \.integer), parts > 1 {
      throw GGUFError(file: path, problem: .split(parts: parts))
    }
    let name = try file.required("general.architecture", "a string", \.string)
    guard let architecture = GGUFArchitecture.all.first(where: { $0.name == name }) else {
      throw GGUFError(
        file: path, problem: .architecture(name, supported: GGUFArchitecture.all.map(\.name)))
    }
    let settings = try GGUFSettings(file, architecture)
    config = settings.config
    self.file = file
    var places: [String: (tensor: String, order: GGUFOrder)] = [:]
    for tensor in file.tensors where tensor.name != GGUFSettings.rotaryFactors {
      guard let (name, part) = architecture.name(of: tensor.name) else {
        throw GGUFError(
          file: path, problem: .unknownTensor(tensor: tensor.name, architecture: architecture.name))
      }
      var order = GGUFOrder.same
      if architecture.reordered.contains(part) { order = .rotaryPairs(headSize: settings.headSize) }
      if architecture.transposed.contains(part), tensor.shape.count == 2 { order = .transposed }
      guard places.updateValue((tensor.name, order), forKey: name) == nil else {
        throw GGUFError(file: path, problem: .duplicate(what: "the tensor '\(tensor.name)'"))
      }
    }
    self.places = places
  }

  /// Whether there is a tensor of this name.
  public func has(_ name: String) -> Bool { places[name] != nil }

  /// A tensor's dimensions; nil if there is none of this name.
  public func shape(of name: String) -> [Int]? { places[name].flatMap { file.tensor($0.tensor)?.shape } }

  /// A tensor as 32-bit floats.
  ///
  /// Throws GGUFError if there is no such tensor, or its rows are no whole heads.
  public func floats(_ name: String) throws -> FloatTensor {
    guard let place = places[name] else {
      throw GGUFError(file: file.path, problem: .missing(tensor: name))
    }
    return try file.floats(place.tensor, order: place.order)
  }

  /// Identifies this file's model, also among other quantisations of the same model.
  public var fingerprint: Fingerprint {
    let tensors = file.tensors.sorted { ByteString.less($0.name, $1.name) }
    defer { withExtendedLifetime(file) {} }
    return Fingerprint(
      tensors.lazy.map { ($0.name, $0.type.description, $0.shape, self.file.unsafeBytes(of: $0)) }, config)
  }
}

/// How the order of a tensor's numbers in a GGUF file differs from Hugging Face's.
enum GGUFOrder {
  case same
  /// Of each head, rows i and i + half stand as neighbours, because llama.cpp turns neighbours together.
  case rotaryPairs(headSize: Int)
  case transposed
}

extension GGUFFile {
  /// The values of a tensor in Hugging Face's order.
  func floats(_ name: String, order: GGUFOrder) throws(GGUFError) -> FloatTensor {
    guard let tensor = tensor(name) else { throw GGUFError(file: path, problem: .missing(tensor: name)) }
    let rows = tensor.shape[0]
    let columns = tensor.count / rows
    switch order {
    case .same: return try floats(name)
    case .rotaryPairs(let headSize):
      guard rows % headSize == 0, headSize % 2 == 0, columns % tensor.type.blockCount == 0 else {
        throw GGUFError(
          file: path,
          problem: .setting(
            key: "shape of \(name)", value: "\(tensor.shape)", supported: "whole heads of \(headSize) rows"))
      }
      return FloatTensor(shape: tensor.shape) { values in
        for row in 0..<rows {
          let (head, place) = (row / headSize, row % headSize)
          let (pair, half) = (place % (headSize / 2), place / (headSize / 2))
          convert(
            tensor, row: head * headSize + 2 * pair + half, columns,
            into: UnsafeMutableBufferPointer(rebasing: values[row * columns..<(row + 1) * columns]))
        }
      }
    case .transposed:
      return FloatTensor(shape: [columns, rows]) { values in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { line in
          for row in 0..<rows {
            convert(tensor, row: row, columns, into: line)
            for column in 0..<columns { values[column * rows + row] = line[column] }
          }
        }
      }
    }
  }

  private func convert(
    _ tensor: GGUFTensor, row: Int, _ columns: Int, into values: UnsafeMutableBufferPointer<Float>
  ) {
    let size = columns / tensor.type.blockCount * tensor.type.blockBytes
    let bytes = UnsafeRawBufferPointer(rebasing: unsafeBytes(of: tensor)[row * size..<(row + 1) * size])
    Dequantization.convert(bytes, of: tensor.type, into: values)
  }
}
