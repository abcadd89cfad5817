import PTuneComposition
import PTuneFormats

/// What somebody is about to tune: what the rules of ``SelectionRule`` look at.
public struct Situation: Sendable {
  /// What matters most.
  public enum Objective: String, CaseIterable, Sendable {
    /// How good the results are.
    case accuracy
    /// How fast the adapter answers.
    case latency
    /// How small the adapter is.
    case size
  }

  /// How many tasks one adapter is to serve.
  public var tasks = 1
  /// The base model, if it is known.
  public var model: ModelFacts?
  /// Examples to train on, if their number is known.
  public var trainExamples: Int?
  /// Bytes of memory that training may take, if there is a limit.
  public var memory: Int?
  /// What matters most.
  public var objective = Objective.accuracy
  /// The task head, if it is known.
  public var head: String?

  /// Whether the head answers with labels of tokens or with a part of the text.
  var labelsTokens: Bool { head == "token-classification" || head == "extractive-qa" }

  /// One task, and nothing known.
  public init() {}

  /// Whether the base model with the two packed copies of its weights leaves no half of the memory free.
  var isTight: Bool {
    guard let memory, let model else { return false }
    return model.trainingBytes * 2 > memory
  }
}

/// What config.json says of a base model.
public struct ModelFacts: Sendable {
  /// As the user named it.
  public let name: String
  /// `model_type`.
  public let type: String
  /// Layers.
  public let layers: Int
  /// Columns of a row.
  public let hidden: Int
  /// Parameters, by the sizes in config.json; biases and norms are not counted.
  public let parameters: Int

  /// Whether it writes texts.
  public var isCausal: Bool { Self.causalTypes.contains(type) }
  /// Bytes of the weights as 32-bit floats, and of their copies in the order of the matrix kernels.
  public var trainingBytes: Int { parameters * 4 * 3 }

  private static let causalTypes: Set = ["gpt2", "llama", "qwen2", "mistral"]

  /// Reads a base model's config.json, or what a GGUF file has in its place.
  ///
  /// - Throws: what is wrong with the model's files.
  public init(_ name: String, resolver: ModelResolver = ModelResolver()) throws {
    let config = try ModelCheckpoint(folder: try resolver.resolve(name).folder).config
    func size(_ key: String, or others: String...) throws -> Int {
      for other in others {
        if let size = try config.integer(other) { return size }
      }
      return try config.requiredInteger(key)
    }
    self.name = name
    type = config.modelType ?? ""
    layers = try size("num_hidden_layers", or: "n_layers", "n_layer")
    hidden = try size("hidden_size", or: "dim", "n_embd")
    let vocabulary = try size("vocab_size")
    let inner = try config.integer("intermediate_size") ?? config.integer("hidden_dim") ?? 4 * hidden
    let isGated = Self.causalTypes.contains(type) && type != "gpt2"
    parameters = vocabulary * hidden + layers * (4 * hidden * hidden + (isGated ? 3 : 2) * hidden * inner)
  }
}
