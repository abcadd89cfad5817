/// The weights of a base model by the names that Hugging Face gives them, however they are stored.
public protocol ModelWeights: Sendable {
  /// Whether there is a tensor of this name.
  func has(_ name: String) -> Bool
  /// A tensor's dimensions; nil if there is none of this name.
  func shape(of name: String) -> [Int]?
  /// A tensor as 32-bit floats; throws what is wrong with it.
  func floats(_ name: String) throws -> FloatTensor
}

extension Checkpoint: ModelWeights {
  /// Whether there is a tensor of this name.
  public func has(_ name: String) -> Bool { tensor(name) != nil }
  /// A tensor's dimensions; nil if there is none of this name.
  public func shape(of name: String) -> [Int]? { tensor(name)?.shape }
}
