import PTune
import PTuneEngine

/// A base model in memory, small enough to check by hand: two layers of width 16 over 40 tokens, an encoder or causal,
/// with learnt positions and norms after each residual.
public final class TinyTransformer: BaseModel {
  /// Columns of the hidden rows.
  public static let hiddenSize = 16
  /// Number of layers.
  public static let layerCount = 2
  /// Number of tokens.
  public static let vocabularySize = 40
  /// The longest sequence.
  public static let positions = 64
  /// Heads of the attention.
  public static let heads = 2
  private static let innerSize = 24

  /// What adapters and heads need to know.
  public let facts: BaseFacts
  /// The word embeddings, `[40, 16]`.
  public let wordTable: Tensor
  private let positionTable: Tensor
  private let hasPositions: Bool
  private let layers: [[String: Tensor]]
  private let terms: ((_ layer: Int) -> [AttentionTerm])?

  /// The model over the weights of ``checkpoint(seed:)``; to be made while a base model is created.
  ///
  /// - Parameters:
  ///   - positions: whether tokens have learnt positions.
  ///   - terms: those of each layer's attention, asked for in every forward pass; nil for attention without any.
  /// - Throws: `ComponentFailure` if a weight is missing.
  public init(causal: Bool, positions: Bool = true, terms: ((_ layer: Int) -> [AttentionTerm])? = nil) throws
  {
    self.terms = terms
    hasPositions = positions
    facts = BaseFacts(
      hiddenSize: Self.hiddenSize, layers: Self.layerCount, keyValueSize: Self.hiddenSize,
      attentionHeads: Self.heads, vocabularySize: Self.vocabularySize, positions: Self.positions,
      causal: causal)
    wordTable = try Checkpoint.weight("words", rows: Self.vocabularySize, columns: Self.hiddenSize)
    positionTable = try Checkpoint.weight("positions", rows: Self.positions, columns: Self.hiddenSize)
    layers = try (0..<Self.layerCount).map { layer in
      try Dictionary(
        uniqueKeysWithValues: Self.layerShapes.map { name, rows, columns in
          (name, try Checkpoint.weight("\(layer).\(name)", rows: rows, columns: columns))
        })
    }
    for (index, layer) in layers.enumerated() {
      for (name, role) in Self.roles {
        try Site.declare(
          "layers.\(index).\(name)", weight: layer[name] ?? Tensor(handle: nil), layer: index, role)
      }
    }
  }

  private static let roles: [(name: String, role: Site.Roles)] = [
    ("query", .query), ("key", .key), ("value", .value), ("output", .attentionOutput),
    ("up", .feedForwardIn), ("down", .feedForwardOut),
  ]

  private static let layerShapes: [(name: String, rows: Int, columns: Int)] = [
    ("query", hiddenSize, hiddenSize), ("key", hiddenSize, hiddenSize), ("value", hiddenSize, hiddenSize),
    ("output", hiddenSize, hiddenSize), ("up", innerSize, hiddenSize), ("down", hiddenSize, innerSize),
    ("gain", 1, hiddenSize), ("bias", 1, hiddenSize),
  ]

  /// Random weights that are a function of the seed.
  public static func checkpoint(seed: UInt64) -> MemoryCheckpoint {
    let checkpoint = MemoryCheckpoint()
    var generator = SplitMix64(seed: seed)
    func add(_ name: String, _ rows: Int, _ columns: Int) {
      let deviation = 1 / Double(columns).squareRoot()
      let values = (0..<rows * columns).map { _ in Float(deviation * generator.normal()) }
      checkpoint.add(name, shape: [rows, columns], name.hasSuffix("gain") ? values.map { 1 + $0 } : values)
    }
    add("words", vocabularySize, hiddenSize)
    add("positions", positions, hiddenSize)
    for layer in 0..<layerCount {
      for shape in layerShapes { add("\(layer).\(shape.name)", shape.rows, shape.columns) }
    }
    return checkpoint
  }

  /// The last hidden rows, `[rows, 16]`.
  public func forward(_ forward: Forward) throws -> Tensor {
    var x = forward.inputRows(from: wordTable)
    if hasPositions { x = x + positionTable.rows(at: forward.positions) }
    for (index, layer) in layers.enumerated() {
      func linear(_ x: Tensor, _ name: String) -> Tensor {
        forward.linear(x, layer[name] ?? Tensor(handle: nil))
      }
      func norm(_ x: Tensor) -> Tensor {
        x.layerNorm(
          gain: layer["gain"] ?? Tensor(handle: nil), bias: layer["bias"] ?? Tensor(handle: nil),
          epsilon: 1e-5)
      }
      let source = forward.keyRows(layer: index, x)
      let (queries, keys, values) = (linear(x, "query"), linear(source, "key"), linear(source, "value"))
      let attended =
        if let terms {
          forward.attention(
            layer: index, queries: queries, keys: keys, values: values, heads: Self.heads,
            keyValueHeads: Self.heads, terms: terms(index))
        } else {
          forward.attention(
            layer: index, queries: queries, keys: keys, values: values, heads: Self.heads,
            keyValueHeads: Self.heads)
        }
      let middle = norm(x + linear(attended, "output"))
      x = norm(middle + linear(linear(middle, "up").gelu(), "down"))
    }
    return x
  }
  /// Scores `[n, 40]` of hidden rows, with the word embeddings as the last layer.
  public func vocabularyScores(_ rows: Tensor) -> Tensor { rows.linear(wordTable) }
}
