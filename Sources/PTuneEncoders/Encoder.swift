import PTune
import PTuneLayers

/// A bidirectional encoder with learnt positions and norms after each residual, as BERT (Devlin et al. 2019) and
/// its kin are.
public final class Encoder: BaseModel {
  /// Sizes, from config.json.
  public let facts: BaseFacts
  /// The word embeddings, `[vocabulary, hidden]`.
  public let wordTable: Tensor
  private let positionTable: Tensor
  private let firstPosition: Int
  private let typeTable: Tensor?
  private let inputNorm: Norm
  private let layers: [EncoderLayer]
  private let poolerName: String?
  private let poolerLayer: FrozenLinear?
  private let vocabulary: EncoderLayout.VocabularyNames
  private let epsilon: Double
  /// Loaded when it is first asked for: most runs never do, and count the encoder alone.
  private var vocabularyHead: VocabularyHead?

  /// Reads sizes and weights from the checkpoint.
  ///
  /// - Throws: `ComponentFailure` naming the key of config.json or the weight that does not fit.
  public init(_ layout: EncoderLayout) throws {
    try Architecture.require(layout.modelTypes)
    let positions = try Self.positions(layout)
    firstPosition = positions.first
    facts = try Self.facts(layout, positions: positions.rows - positions.first)
    try Self.refuseVariants()
    let size = facts.hiddenSize
    let embeddings = "embeddings."
    let hasPrefix = Checkpoint.hasWeight(layout.prefix + embeddings + "position_embeddings.weight")
    let prefix = hasPrefix ? layout.prefix : ""
    func table(_ name: String, rows: Int) throws -> Tensor {
      try Checkpoint.weight(prefix + embeddings + name + ".weight", rows: rows, columns: size)
    }
    wordTable = try tiedTable(
      prefix + embeddings + "word_embeddings.weight", output: layout.vocabulary.table, facts: facts,
      tied: true)
    positionTable = try table("position_embeddings", rows: positions.rows)
    typeTable =
      layout.hasTokenTypes
      ? try table("token_type_embeddings", rows: try Checkpoint.integer("type_vocab_size", default: 2)) : nil
    inputNorm = try Norm(prefix + embeddings + "LayerNorm", size, layout.epsilon)

    let inner = try Configuration.count(layout.keys.innerSize)
    let activation = try Activation(key: layout.keys.activation)
    let heads = facts.attentionHeads
    layers = try Configuration.layers(facts.layers) {
      try EncoderLayer(
        prefix, "\(layout.layers).\($0).", layout.names, index: $0, size: size, inner: inner, heads: heads,
        activation: activation, epsilon: layout.epsilon)
    }
    poolerName = layout.pooler
    let pooler = layout.pooler.map { prefix + $0 }
    poolerLayer = try pooler.flatMap {
      Checkpoint.hasWeight($0 + ".weight") ? try FrozenLinear($0, size, size) : nil
    }
    vocabulary = layout.vocabulary
    epsilon = layout.epsilon
  }

  private static func facts(_ layout: EncoderLayout, positions: Int) throws -> BaseFacts {
    let keys = layout.keys
    let size = try Configuration.count(keys.hiddenSize)
    let heads = try Configuration.count(keys.heads)
    guard size % heads == 0 else {
      throw ComponentFailure.badArgument(
        "config.json: \(keys.hiddenSize) \(size) is not a multiple of \(keys.heads) \(heads)")
    }
    return BaseFacts(
      hiddenSize: size, layers: try Configuration.count(keys.layers), keyValueSize: size,
      attentionHeads: heads,
      vocabularySize: try Configuration.count("vocab_size"), positions: positions, causal: false)
  }

  /// Rows of the position table, and the one that belongs to a sequence's first row.
  private static func positions(_ layout: EncoderLayout) throws -> (rows: Int, first: Int) {
    let rows = try Configuration.count("max_position_embeddings")
    guard let padding = layout.paddingToken else { return (rows, 0) }
    guard padding >= 0, padding < rows - 1 else {
      throw ComponentFailure.badArgument(
        "config.json: pad_token_id \(padding) leaves none of max_position_embeddings \(rows) for tokens")
    }
    return (rows, padding + 1)
  }

  private static func refuseVariants() throws {
    let positions = try Checkpoint.string("position_embedding_type", default: "absolute")
    guard positions == "absolute" else {
      throw ComponentFailure.unsupported(
        "config.json: position_embedding_type '\(positions)' is not supported, only 'absolute'")
    }
    try Configuration.refuse("is_decoder", "this plugin is for encoders")
  }

  /// Embeddings, a norm, then each layer: `[rows, hidden]`.
  public func forward(_ forward: Forward) throws -> Tensor {
    let places = forward.positions.lazy.map { [firstPosition] in $0 + Int32(firstPosition) }
    var x = forward.inputRows(from: wordTable) + positionTable.rows(at: places)
    if let typeTable {
      // A model of one type does not tell segments apart, whatever its tokenizer makes of them: RoBERTa.
      let types = forward.tokenTypes
      x = x + typeTable.rows(at: typeTable.rows == 1 ? types.map { _ in 0 } : Array(types))
    }
    x = inputNorm(x)
    for layer in layers { x = layer(x, forward) }
    return x
  }

  /// tanh(x·Wᵀ + b) with the checkpoint's pooling layer: `[n, hidden] -> [n, hidden]`.
  ///
  /// - Throws: `ComponentFailure` where the family or the checkpoint has none.
  public func pooler(_ rows: Tensor) throws -> Tensor {
    guard let poolerLayer else {
      throw ComponentFailure.unsupported(
        poolerName.map { "the checkpoint has no pooling layer (\($0))" }
          ?? "this base model has no pooling layer of its own")
    }
    return rows.linear(poolerLayer.weight, bias: poolerLayer.bias).tanh()
  }

  /// The masked language model's head: `[n, hidden] -> [n, vocabulary]`.
  ///
  /// - Throws: `ComponentFailure` where the checkpoint has none.
  public func vocabularyScores(_ rows: Tensor) throws -> Tensor {
    if let vocabularyHead { return vocabularyHead(rows) }
    let first = vocabulary.transform + ".weight"
    guard Checkpoint.hasWeight(first) else {
      throw ComponentFailure.unsupported(
        "the checkpoint has no masked language model's head (\(first)); take one that was saved with it")
    }
    let head = try VocabularyHead(vocabulary, wordTable: wordTable, facts: facts, epsilon: epsilon)
    vocabularyHead = head
    return head(rows)
  }
}
