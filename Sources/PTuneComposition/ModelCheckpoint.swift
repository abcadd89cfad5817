import PTuneEngine
import PTuneFormats

/// A model folder's config.json and safetensors, or what a GGUF file has in their place, as the engine asks for them.
public final class ModelCheckpoint: CheckpointSource {
  /// The folder's config.json, or the same keys out of the GGUF file's metadata.
  public let config: ModelConfig
  /// Its weights.
  public let weights: any ModelWeights
  /// What an adapter puts in the place of weights.
  let replacements: WeightReplacements
  /// The matrices that were asked for, by shape.
  private var handedOut: [[Int]: [String]] = [:]
  /// Identifies this base model.
  public let fingerprint: Fingerprint

  /// Opens a model folder, or a GGUF file.
  ///
  /// - Throws: `CheckpointError`, `SafetensorsError`, `GGUFError`, `ConfigError`, `JSONError` or `FileError`.
  public init(folder: String) throws {
    if ModelResolver.isGGUF(folder) {
      let model = try GGUFModel(folder)
      (config, weights, fingerprint) = (model.config, model, model.fingerprint)
    } else {
      let config = try ModelConfig(folder: folder)
      let checkpoint = try Checkpoint(folder: folder, config)
      (self.config, weights, fingerprint) = (config, checkpoint, Fingerprint(checkpoint, config))
    }
    replacements = .none
  }

  /// The same with other weights in the place of some.
  package init(_ other: ModelCheckpoint, replacing replacements: WeightReplacements) {
    (config, weights, fingerprint) = (other.config, other.weights, other.fingerprint)
    self.replacements = replacements
  }

  /// A value of config.json; nil if it is absent or null.
  public func configuration(_ key: String) -> ConfigurationValue? {
    if key == "tie_word_embeddings", replacements.untieOutput { return .boolean(false) }
    if key == "vocab_size", let size = replacements.vocabularySize { return .integer(size) }
    return switch config.value(key) {
    case nil, .null?: nil
    case .int(let value)?: .integer(value)
    case .double(let value)?: .number(value)
    case .bool(let value)?: .boolean(value)
    case .string(let value)?: .string(value)
    case .array(let elements)?: .list(count: elements.count)
    case .object(let members)?: .object(members: members.keys)
    }
  }

  /// The keys of config.json, with dots for what lies in objects; a list is one key.
  public var configurationKeys: [String] { config.paths }

  /// Whether there is a tensor of this name.
  public func hasWeight(_ name: String) -> Bool {
    replacements.holds(name) || weights.has(name) && !replacements.hides(name)
  }

  /// A tensor as 32-bit floats; nil if there is none of this name.
  public func weight(_ name: String) throws -> CheckpointWeight? {
    guard hasWeight(name) else { return nil }
    var result = try loaded(name)
    result.sameAs = twin(of: name)
    return result
  }

  /// An earlier table of words with the same bytes: many a checkpoint stores the word embeddings twice, since they are the
  /// output as well.
  private func twin(of name: String) -> String? {
    // NB: only tables of words are stored twice. Layers with equal weights, zeros for example, are layers of their own.
    guard let checkpoint = weights as? Checkpoint, let shape = checkpoint.shape(of: name), shape.count == 2,
      shape[0] == config.value("vocab_size")?.intValue, !replacements.holds(name)
    else { return nil }
    let alike = handedOut[shape, default: []]
    if let twin = alike.first(where: { checkpoint.holdsSame(name, $0) }) { return twin == name ? nil : twin }
    handedOut[shape, default: []].append(name)
    return nil
  }

  private func loaded(_ name: String) throws -> CheckpointWeight {
    func load() throws -> FloatTensor { try replacements.floats(name, of: weights) ?? weights.floats(name) }
    func weight(_ tensor: FloatTensor) -> CheckpointWeight {
      CheckpointWeight(shape: tensor.shape, values: tensor.unsafeValues, owner: tensor)
    }
    let tensor = try load()
    var result = weight(tensor)
    // What was converted can be converted again; what is mapped comes back from the file by itself.
    if tensor.isMapped {
      result.discard = { tensor.discardPages() }
    } else {
      result.again = { weight(try load()) }
    }
    return result
  }
}
