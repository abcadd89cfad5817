import PTuneEngine
import PTuneFormats

/// A model folder's config.json and safetensors, as the engine asks for them.
public final class ModelCheckpoint: CheckpointSource {
  /// The folder's config.json.
  public let config: ModelConfig
  /// Its weights.
  public let checkpoint: Checkpoint
  /// What an adapter puts in the place of weights.
  let replacements: WeightReplacements

  /// Opens a model folder.
  ///
  /// - Throws: `CheckpointError`, `SafetensorsError`, `ConfigError`, `JSONError` or `FileError`.
  public init(folder: String) throws {
    config = try ModelConfig(folder: folder)
    checkpoint = try Checkpoint(folder: folder)
    replacements = .none
  }

  /// The same with other weights in the place of some.
  init(_ other: ModelCheckpoint, replacing replacements: WeightReplacements) {
    (config, checkpoint, self.replacements) = (other.config, other.checkpoint, replacements)
  }

  /// What tells this base model from another.
  public var fingerprint: Fingerprint { Fingerprint(checkpoint, config) }

  /// A value of config.json; nil if it is absent or null.
  public func configuration(_ key: String) -> ConfigurationValue? {
    if key == "tie_word_embeddings", replacements.untieOutput { return .boolean(false) }
    return switch config.value(key) {
    case nil, .null?: nil
    case .int(let value)?: .integer(value)
    case .double(let value)?: .number(value)
    case .bool(let value)?: .boolean(value)
    case .string(let value)?: .string(value)
    case let value?: .other(value.kind)
    }
  }

  /// Whether there is a tensor of this name.
  public func hasWeight(_ name: String) -> Bool {
    replacements.holds(name) || checkpoint.tensor(name) != nil
  }

  /// A tensor as 32-bit floats; nil if there is none of this name.
  public func weight(_ name: String) throws -> CheckpointWeight? {
    guard hasWeight(name) else { return nil }
    let tensor = try replacements.floats(name, of: checkpoint) ?? checkpoint.floats(name)
    return CheckpointWeight(shape: tensor.shape, values: tensor.unsafeValues, owner: tensor)
  }
}
