/// How a family of encoders writes its config.json and names its weights. What is not said is as BERT has it.
public struct EncoderLayout: Sendable {
  /// Each `model_type` of config.json that means this family.
  public let modelTypes: [String]
  /// Stands before every weight's name in checkpoints with a task's head, as "bert." does; those of the bare
  /// encoder have no prefix.
  public let prefix: String
  /// ε of every norm.
  public let epsilon: Double
  /// The keys of config.json.
  public let keys: Keys
  /// Where the layers are: "encoder.layer", followed by their numbers.
  public let layers: String
  /// The weights of a layer.
  public let names: LayerNames
  /// Whether tokens have a type, of which there are `type_vocab_size`.
  public let hasTokenTypes: Bool
  /// The pooling layer, which a checkpoint may still lack; nil if the family has none.
  public let pooler: String?
  /// The head that scores the vocabulary, which a checkpoint may lack.
  public let vocabulary: VocabularyNames
  /// The padding token's id where positions are counted from behind it; nil where they are counted from 0.
  public let paddingToken: Int?

  /// A layout.
  public init(
    modelTypes: [String], prefix: String, epsilon: Double, keys: Keys = .bert,
    layers: String = "encoder.layer",
    names: LayerNames = .bert, hasTokenTypes: Bool = true, pooler: String? = "pooler.dense",
    vocabulary: VocabularyNames = .bert, paddingToken: Int? = nil
  ) {
    self.modelTypes = modelTypes
    self.prefix = prefix
    self.epsilon = epsilon
    self.keys = keys
    self.layers = layers
    self.names = names
    self.hasTokenTypes = hasTokenTypes
    self.pooler = pooler
    self.vocabulary = vocabulary
    self.paddingToken = paddingToken
  }

  /// The keys of config.json that differ between families.
  public struct Keys: Sendable {
    let hiddenSize, layers, heads, innerSize, activation: String

    /// Keys of these names.
    public init(hiddenSize: String, layers: String, heads: String, innerSize: String, activation: String) {
      self.hiddenSize = hiddenSize
      self.layers = layers
      self.heads = heads
      self.innerSize = innerSize
      self.activation = activation
    }

    /// BERT's.
    public static let bert = Keys(
      hiddenSize: "hidden_size", layers: "num_hidden_layers", heads: "num_attention_heads",
      innerSize: "intermediate_size", activation: "hidden_act")
  }

  /// What the parts of the masked language model's head are called; they stand beside the encoder, without its
  /// prefix.
  public struct VocabularyNames: Sendable {
    let transform, norm, table, bias: String
    /// The key of config.json that names its activation; nil for gelu.
    let activation: String?

    /// Parts of these names.
    public init(transform: String, norm: String, table: String, bias: String, activation: String? = nil) {
      self.transform = transform
      self.norm = norm
      self.table = table
      self.bias = bias
      self.activation = activation
    }

    /// BERT's.
    public static let bert = VocabularyNames(
      transform: "cls.predictions.transform.dense", norm: "cls.predictions.transform.LayerNorm",
      table: "cls.predictions.decoder.weight", bias: "cls.predictions.bias", activation: "hidden_act")
  }

  /// What the parts of a layer are called.
  public struct LayerNames: Sendable {
    let query, key, value, output, attentionNorm, up, down, outputNorm: String

    /// Parts of these names.
    public init(
      query: String, key: String, value: String, output: String, attentionNorm: String, up: String,
      down: String, outputNorm: String
    ) {
      self.query = query
      self.key = key
      self.value = value
      self.output = output
      self.attentionNorm = attentionNorm
      self.up = up
      self.down = down
      self.outputNorm = outputNorm
    }

    /// BERT's.
    public static let bert = LayerNames(
      query: "attention.self.query", key: "attention.self.key", value: "attention.self.value",
      output: "attention.output.dense", attentionNorm: "attention.output.LayerNorm",
      up: "intermediate.dense", down: "output.dense", outputNorm: "output.LayerNorm")
  }
}
