import PTuneComposition
import PTuneFormats

/// Where the value of an adapter's parameter stands.
enum TensorPlace: Equatable, Sendable {
  /// A tensor of the adapter's file, or an element of it along its first dimension.
  case adapter(String, element: Int? = nil)
  /// A weight of the base model's checkpoint.
  case base(String)

  /// The tensor's name in its file.
  var name: String {
    switch self {
    case .adapter(let name, _), .base(let name): name
    }
  }

  /// The shape and the values, row-major; nil if there is no such tensor.
  ///
  /// - Throws: `SafetensorsError` for a tensor that does not contain floats.
  func read(_ file: SafetensorsFile, _ checkpoint: ModelCheckpoint) throws -> (shape: [Int], values: [Float])?
  {
    switch self {
    case .base(let name):
      guard checkpoint.weights.has(name) else { return nil }
      let tensor = try checkpoint.weights.floats(name)
      return (tensor.shape, tensor.array)
    case .adapter(let name, let element):
      guard file.tensor(name) != nil else { return nil }
      let tensor = try file.floats(name)
      guard let element else { return (tensor.shape, tensor.array) }
      guard let count = tensor.shape.first, element < count else { return nil }
      let size = tensor.shape.dropFirst().reduce(1, *)
      return (
        Array(tensor.shape.dropFirst()),
        tensor.withValues { Array($0[element * size..<(element + 1) * size]) }
      )
    }
  }
}
