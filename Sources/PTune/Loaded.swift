import CPTune

/// A component that a plugin made: its table of functions and its `self`, as the protocol of its kind.
///
/// Calls go out with the call in progress (see ``Host/within(_:_:)``); a failure's reason is recorded by the host.
public class LoadedInstance {
  fileprivate let pointer: UnsafeMutableRawPointer?
  private let destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?

  /// Takes over what a component's `create` stored.
  fileprivate init(
    _ pointer: UnsafeMutableRawPointer?, destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  ) {
    self.pointer = pointer
    self.destroy = destroy
  }

  deinit { destroy?(pointer) }

  fileprivate func tensor(_ handle: OpaquePointer?, _ what: String) throws -> Tensor {
    guard let handle else { throw ComponentFailure("\(what) returned no tensor") }
    return Tensor(handle: handle)
  }
}

/// A base model of a plugin.
public final class LoadedBaseModel: LoadedInstance, BaseModel {
  private let table: ptune_base_model_v1

  /// Takes over what `create` stored, with the component's table.
  public init(
    _ pointer: UnsafeMutableRawPointer?, table: UnsafePointer<ptune_base_model_v1>,
    destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  ) {
    self.table = table.pointee
    super.init(pointer, destroy: destroy)
  }

  /// What the plugin says of the model.
  public var facts: BaseFacts {
    var facts = ptune_base_facts_v1()
    table.facts?(pointer, &facts)
    return BaseFacts(facts)
  }
  /// The word embedding table.
  public var wordTable: Tensor { Tensor(handle: table.word_table?(pointer)) }
  /// Calls the plugin's `forward`.
  public func forward(_ forward: Forward) throws -> Tensor {
    try tensor(table.forward?(pointer, Host.currentCall, forward.handle), "forward")
  }
  /// Calls the plugin's `pooler`, which may be missing.
  public func pooler(_ rows: Tensor) throws -> Tensor {
    guard let pooler = table.pooler else {
      throw ComponentFailure.unsupported("this base model has no pooling layer of its own")
    }
    return try tensor(pooler(pointer, Host.currentCall, rows.handle), "pooler")
  }
  /// Calls the plugin's `vocabulary_scores`, which may be missing.
  public func vocabularyScores(_ rows: Tensor) throws -> Tensor {
    guard let scores = table.vocabulary_scores else {
      throw ComponentFailure.unsupported("this base model does not score the vocabulary")
    }
    return try tensor(scores(pointer, Host.currentCall, rows.handle), "vocabulary_scores")
  }
}

/// An adapter of a plugin whose file holds its parameters as they are.
public class LoadedAdapter: LoadedInstance, Adapter {
  fileprivate let table: ptune_adapter_v1
  /// What it recommends; nil if it does not say.
  public let learningRate: Double?

  fileprivate init(
    _ pointer: UnsafeMutableRawPointer?, _ table: ptune_adapter_v1,
    _ recommendation: ptune_recommendation_v1?,
    _ destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  ) {
    self.table = table
    let rate = recommendation?.learning_rate?(pointer) ?? 0
    learningRate = rate > 0 && rate.isFinite ? rate : nil
    super.init(pointer, destroy: destroy)
  }

  /// Takes over what `create` stored, with the component's table and what it offers as `ptune.recommendation/1`.
  public static func make(
    _ pointer: UnsafeMutableRawPointer?, table: UnsafePointer<ptune_adapter_v1>,
    recommendation: ptune_recommendation_v1?,
    destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  ) -> any Adapter {
    table.pointee.save == nil
      ? LoadedAdapter(pointer, table.pointee, recommendation, destroy)
      : LoadedFoldingAdapter(pointer, table.pointee, recommendation, destroy)
  }

  /// Calls the plugin's `positions`.
  public var positions: Int { table.positions?(pointer) ?? 0 }
  /// Calls the plugin's `inject`.
  public func inject(_ batch: Batch, into injections: Injections) throws {
    let status = table.inject?(pointer, Host.currentCall, batch.handle, injections.handle)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "inject")
  }
}

/// An adapter of a plugin that states itself what its file holds.
final class LoadedFoldingAdapter: LoadedAdapter, FoldingAdapter {
  func save(to export: Export) throws {
    let status = table.save?(pointer, Host.currentCall, export.handle)
    try Host.check(status ?? ptune_status(PTUNE_FAILED), "save")
  }
}

/// A selector of a plugin.
public final class LoadedSelector: LoadedInstance, Selector {
  private let table: ptune_selector_v1

  /// Takes over what `create` stored, with the component's table.
  public init(
    _ pointer: UnsafeMutableRawPointer?, table: UnsafePointer<ptune_selector_v1>,
    destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  ) {
    self.table = table.pointee
    super.init(pointer, destroy: destroy)
  }

  /// Calls the plugin's `weights`.
  public func weights(_ batch: Batch, queries: Tensor, keys: Tensor) throws -> Tensor {
    let result = table.weights?(pointer, Host.currentCall, batch.handle, queries.handle, keys.handle)
    return try tensor(result ?? nil, "weights")
  }
}

/// A task head of a plugin, whose rows are a text or two.
public class LoadedTaskHead: LoadedInstance, TaskHead {
  fileprivate let table: ptune_task_head_v1

  fileprivate init(
    _ pointer: UnsafeMutableRawPointer?, _ table: ptune_task_head_v1,
    _ destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  ) {
    self.table = table
    super.init(pointer, destroy: destroy)
  }

  /// Takes over what `create` stored, with the component's table.
  public static func make(
    _ pointer: UnsafeMutableRawPointer?, table: UnsafePointer<ptune_task_head_v1>,
    destroy: (@convention(c) (UnsafeMutableRawPointer?) -> Void)?
  ) -> any TaskHead {
    table.pointee.arrange == nil
      ? LoadedTaskHead(pointer, table.pointee, destroy)
      : LoadedArrangingHead(pointer, table.pointee, destroy)
  }

  /// What a plugin's rows stand for is known of the instance only.
  public static var scoreRows: ScoreRows { .perSequence }
  /// What the plugin's table says.
  public var scoreRows: ScoreRows { ScoreRows(rawValue: table.score_rows) ?? .perSequence }
  /// What the plugin's table says.
  public var scoreColumns: [String] {
    table.score_columns.map { String(cString: $0).split(separator: " ").map(String.init) } ?? []
  }
  /// What the plugin's table says.
  public var reading: Reading { Reading(rawValue: table.reading) ?? .labelledText }

  fileprivate func check(_ status: ptune_status?, _ what: String) throws {
    try Host.check(status ?? ptune_status(PTUNE_FAILED), what)
  }
  /// Calls the plugin's `encode`.
  public func encode(_ example: Example, into targets: Targets) throws {
    try check(table.encode?(pointer, Host.currentCall, example.handle, targets.handle), "encode")
  }
  /// Calls the plugin's `scores`.
  public func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    try tensor(table.scores?(pointer, Host.currentCall, hidden.handle, batch.handle), "scores")
  }
  /// Calls the plugin's `loss`.
  public func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
    try tensor(table.loss?(pointer, Host.currentCall, scores.handle, batch.handle), "loss")
  }
  /// Calls the plugin's `evaluation_scores`, or `scores` where that is missing.
  public func evaluationScores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    guard let method = table.evaluation_scores else { return try scores(hidden, batch) }
    return try tensor(method(pointer, Host.currentCall, hidden.handle, batch.handle), "evaluation_scores")
  }
  /// Calls the plugin's `predict`.
  public func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {
    try check(
      table.predict?(
        pointer, Host.currentCall, scores.values.baseAddress, scores.rows, scores.columns, example.handle,
        prediction.handle), "predict")
  }
  /// Calls the plugin's `measure`.
  public func measure(_ evaluation: Evaluation) throws {
    try check(table.measure?(pointer, Host.currentCall, evaluation.handle), "measure")
  }
}

/// A task head of a plugin that lays out rows itself.
final class LoadedArrangingHead: LoadedTaskHead, ArrangingHead {
  func arrange(_ example: Example, into arrangement: Arrangement) throws {
    try check(table.arrange?(pointer, Host.currentCall, example.handle, arrangement.handle), "arrange")
  }
}
