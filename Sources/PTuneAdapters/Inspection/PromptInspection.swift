import PTuneEngine
import PTuneFormats

/// The virtual tokens of an adapter, as numbers that people can make something of.
public struct PromptInspection: Sendable {
  /// What they are.
  public enum Kind: String, Sendable {
    /// Rows among the word embeddings.
    case input
    /// Rows before the layers' inputs.
    case hidden
    /// Keys and values of layers.
    case keysAndValues = "key-value"
    /// A pool of prompts, which each text has its own mixture or choice of.
    case pool
  }

  /// A virtual token.
  public struct Token: Sendable {
    /// Its length, over all layers at which it has a part.
    public let norm: Double
    /// The tokens of the vocabulary that are nearest to it; empty where none can be.
    public internal(set) var near: [Near] = []
  }

  /// A token of the vocabulary near a virtual one.
  public struct Near: Sendable, Equatable {
    /// Its id.
    public let id: Int
    /// As the tokenizer writes it.
    public let token: String
    /// The cosine of the angle between the two.
    public let cosine: Double
  }

  /// A layer at which they stand.
  public struct Layer: Sendable {
    /// Its number, from 0.
    public let layer: Int
    /// The mean length of their parts there: of "rows", or of "keys" and of "values".
    public let norms: [(part: String, mean: Double)]
  }

  /// The tuning method.
  public let adapter: String
  /// What they are.
  public let kind: Kind
  /// The virtual tokens in their order; those of a pool entry by entry.
  public let tokens: [Token]
  /// How many of them are one entry of a pool; 1 for a prompt.
  public let entryLength: Int
  /// The layers at which they stand, from the lowest; empty at the input.
  public let layers: [Layer]
  /// The mean length of what they were compared with; nil if they were not.
  public let vocabularyNorm: Double?
  /// The cosines between virtual tokens, or between the entries of a pool: `[n][n]`.
  public let similarity: [[Double]]
  /// What there is to say about them.
  public let note: String?
}

extension PromptInspection {
  /// As `ptune inspect --json` has it.
  public var json: JSONObject {
    var object: JSONObject = ["adapter": .string(adapter), "kind": .string(kind.rawValue)]
    if kind == .pool { object["entry_length"] = .int(entryLength) }
    object["virtual_tokens"] = .array(
      tokens.map { token in
        var member: JSONObject = ["norm": .double(token.norm)]
        if vocabularyNorm != nil {
          member["nearest"] = .array(
            token.near.map {
              ["id": .int($0.id), "token": .string($0.token), "cosine": .double($0.cosine)]
            })
        }
        return .object(member)
      })
    object["vocabulary_norm"] = vocabularyNorm.map { .double($0) }
    if !layers.isEmpty {
      object["layers"] = .array(
        layers.map { layer in
          var member: JSONObject = ["layer": .int(layer.layer)]
          for norm in layer.norms { member["\(norm.part)_norm"] = .double(norm.mean) }
          return .object(member)
        })
    }
    object["similarity"] = .array(similarity.map { .array($0.map { .double($0) }) })
    object["note"] = note.map { .string($0) }
    return object
  }
}

/// The cosines of the angles between vectors of one length; 0 where one has no direction.
func cosines(_ vectors: [[Float]]) -> [[Double]] {
  let norms = vectors.map(norm)
  return vectors.indices.map { a in
    vectors.indices.map { b in
      let product = norms[a] * norms[b]
      guard product > 0 else { return 0 }
      return a == b
        ? 1 : zip(vectors[a], vectors[b]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } / product
    }
  }
}

/// The length of a vector.
func norm(_ vector: some Sequence<Float>) -> Double {
  vector.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
}
