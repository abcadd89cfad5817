import CPTune

/// Facts about a base model that adapters and heads depend on.
public struct BaseFacts: Sendable, Equatable {
  /// Columns of the hidden rows.
  public var hiddenSize: Int
  /// Number of transformer layers.
  public var layers: Int
  /// Columns of a layer's keys, and of its values.
  public var keyValueSize: Int
  /// Heads of the queries.
  public var attentionHeads: Int
  /// Rows of the word embedding table.
  public var vocabularySize: Int
  /// The longest sequence, virtual tokens included; `Int.max` without a limit.
  public var positions: Int
  /// Whether a row sees only the rows before it.
  public var causal: Bool

  /// Facts with these values.
  public init(
    hiddenSize: Int, layers: Int, keyValueSize: Int, attentionHeads: Int, vocabularySize: Int,
    positions: Int = Int.max, causal: Bool
  ) {
    self.hiddenSize = hiddenSize
    self.layers = layers
    self.keyValueSize = keyValueSize
    self.attentionHeads = attentionHeads
    self.vocabularySize = vocabularySize
    self.positions = positions
    self.causal = causal
  }

  /// The facts as the ABI carries them.
  public init(_ facts: ptune_base_facts_v1) {
    self.init(
      hiddenSize: facts.hidden_size, layers: facts.layers, keyValueSize: facts.key_value_size,
      attentionHeads: facts.attention_heads, vocabularySize: facts.vocabulary_size,
      positions: Int(clamping: UInt(bitPattern: facts.positions)), causal: facts.causal)
  }

  /// For the ABI.
  public var raw: ptune_base_facts_v1 {
    ptune_base_facts_v1(
      hidden_size: hiddenSize, layers: layers, key_value_size: keyValueSize,
      attention_heads: attentionHeads, vocabulary_size: vocabularySize, positions: positions, causal: causal)
  }
}

/// The frozen base model as adapters and heads see it (`ptune.base/1`).
public enum Base {
  /// Its facts.
  public static var facts: BaseFacts {
    var facts = ptune_base_facts_v1()
    Host.tables.base?.pointee.facts(Host.currentCall, &facts)
    return BaseFacts(facts)
  }

  /// Rows of the word embedding table, `[ids.count, hidden]`, row by row.
  public static func wordRows(_ ids: [Int32]) throws -> [Float] {
    let size = ids.count * facts.hiddenSize
    var status = ptune_status(PTUNE_FAILED)
    let rows = [Float](unsafeUninitializedCapacity: size) { buffer, count in
      if let base = Host.tables.base?.pointee, let out = buffer.baseAddress {
        status = base.word_rows(Host.currentCall, ids, ids.count, out)
      }
      count = status == PTUNE_OK ? size : 0
    }
    try Host.check(status, "reading word embeddings")
    return rows
  }

  /// The whole word embedding table, `[vocabulary, hidden]`.
  public static var wordTable: Tensor {
    Tensor(handle: Host.tables.base?.pointee.word_table(Host.currentCall))
  }

  /// The token ids of a text, without special tokens.
  public static func tokenize(_ text: String) -> [Int32] {
    guard let base = Host.tables.base?.pointee else { return [] }
    let count = base.tokenize(Host.currentCall, text, nil, 0)
    return [Int32](unsafeUninitializedCapacity: count) { buffer, written in
      written = min(count, base.tokenize(Host.currentCall, text, buffer.baseAddress, count))
    }
  }

  /// The most frequent tokens of the training data, most frequent first, at most `limit`.
  public static func frequentTokens(limit: Int) -> [Int32] {
    guard let base = Host.tables.base?.pointee else { return [] }
    return [Int32](unsafeUninitializedCapacity: limit) { buffer, written in
      written = base.frequent_tokens(Host.currentCall, buffer.baseAddress, limit)
    }
  }

  /// A token with a special meaning.
  public enum SpecialToken: Int32, Sendable {
    case classification = 1
    case separator = 2
    case padding = 3
    case mask = 4
    case unknown = 5
    case beginning = 6
    case end = 7
  }

  /// The id of a special token; nil where the tokenizer has none.
  public static func id(of token: SpecialToken) -> Int32? {
    let id = Host.tables.base?.pointee.special_token(Host.currentCall, token.rawValue) ?? -1
    return id < 0 ? nil : id
  }

  /// The token ids of a word in the place of the mask of the task's template: begun with a space where the template
  /// has one there. In a head's `init` only.
  ///
  /// - Throws: ``ComponentFailure`` where the task has no template with a mask, or the word has no tokens.
  public static func tokenize(atMask word: String) throws -> [Int32] {
    guard let base = Host.tables.base?.pointee else { return [] }
    let count = base.tokenize_at_mask(Host.currentCall, word, nil, 0)
    guard count > 0 else { throw ComponentFailure.badArgument("the word '\(word)' has no tokens") }
    return [Int32](unsafeUninitializedCapacity: count) { buffer, written in
      written = min(count, base.tokenize_at_mask(Host.currentCall, word, buffer.baseAddress, count))
    }
  }

  /// What a layer is given.
  public enum LayerPart: Int32, Sendable {
    /// The rows that enter it, `[count, hidden]`.
    case input = 1
    /// The keys of its attention, `[count, key-value size]`, rotated if the model rotates them.
    case keys = 2
    /// The values of its attention, `[count, key-value size]`.
    case values = 3
  }

  /// What a layer is given when the base model reads these tokens alone, at positions 0, 1, …, row by row.
  ///
  /// - Throws: ``ComponentFailure`` if there is no such layer or token, or if the tokens are more than its positions.
  public static func layerRows(_ tokens: [Int32], layer: Int, _ part: LayerPart) throws -> [Float] {
    let size = tokens.count * (part == .input ? facts.hiddenSize : facts.keyValueSize)
    var status = ptune_status(PTUNE_FAILED)
    let rows = [Float](unsafeUninitializedCapacity: size) { buffer, count in
      if let base = Host.tables.base?.pointee, let out = buffer.baseAddress {
        status = base.layer_rows(Host.currentCall, tokens, tokens.count, layer, part.rawValue, out)
      }
      count = status == PTUNE_OK ? size : 0
    }
    try Host.check(status, "reading a layer's inputs")
    return rows
  }

  /// The base model's own pooling layer applied to rows `[n, hidden]`.
  public static func pooler(_ rows: Tensor) -> Tensor {
    Tensor(handle: Host.tables.base?.pointee.pooler(Host.currentCall, rows.handle))
  }

  /// The base model's scores over its vocabulary for hidden rows `[n, hidden]`: `[n, vocabulary]`.
  public static func vocabularyScores(_ rows: Tensor) -> Tensor {
    Tensor(handle: Host.tables.base?.pointee.vocabulary_scores(Host.currentCall, rows.handle))
  }
}
