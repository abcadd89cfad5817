import PTune
import PTuneEngine

/// An adapter in memory with a pool of prompts, for tests of selectors: each sequence gets two rows at its input, mixed
/// by the selector's weights for the mean of its word embeddings.
public final class TwinPool: Adapter {
  /// Prompts of the pool unless a test says otherwise.
  public static let defaultKeys = 8
  private static let length = 2
  /// How many positions it takes from the text.
  public let positions = length
  private let pool: Parameter
  private let keys: Parameter

  /// Declares pool and keys; to be made while an adapter is created.
  ///
  /// - Throws: `ComponentFailure` if the host refuses a parameter.
  public init(keys count: Int = defaultKeys) throws {
    let size = Base.facts.hiddenSize
    pool = try Parameter("pool", shape: [count, Self.length * size], initial: .normal(deviation: 0.5))
    keys = try Parameter("keys", shape: [count, size], initial: .normal(deviation: 0.5))
    try Selection.announce(keys: count, columns: size)
  }

  /// Mixes the pool's prompts for each sequence.
  public func inject(_ batch: Batch, into injections: Injections) throws {
    let words = Base.wordTable.rows(at: Array(batch.tokens))
    let queries = words.meanRows(at: Array(0..<Int32(batch.tokens.count)), offsets: Array(batch.offsets))
    let mixed = Selection.weights(queries: queries, keys: keys.value).matmul(pool.value)
    try injections.input(
      mixed.reshaped(rows: batch.count * Self.length, columns: Base.facts.hiddenSize), at: .start,
      perSequence: true)
  }
}

/// A selector in memory: a softmax of the products of query and keys.
public final class TwinSelector: Selector {
  /// A selector without parameters.
  public init() {}

  /// Weights `[count, keys]`.
  public func weights(_ batch: Batch, queries: Tensor, keys: Tensor) throws -> Tensor {
    queries.matmul(keys, transposedOther: true).softmax()
  }
}

extension Model {
  /// Makes a ``TwinSelector`` the model's; to be called after the adapter was made.
  ///
  /// - Throws: `EngineFailure`, which would be a fault of the engine.
  public func useTwinSelector() throws {
    try setSelector(ComponentIdentity(component: "selector twin", owner: ParameterOwner.selector)) { _ in
      TwinSelector()
    }
  }
}
