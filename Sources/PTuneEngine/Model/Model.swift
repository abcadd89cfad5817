import CPTune
import PTune

/// A frozen base model with adapters and task heads: one composition that trains, evaluates and predicts.
///
/// Components are created in this order: base, adapters, selector, heads; the tasks are named before. A model is used by one thread.
public final class Model {
  /// What the base model multiplies the rows of words with where they enter.
  package var wordScale: Float { session.services.wordScale }

  /// What carries it out.
  public let session: Session
  private(set) var base:
    (model: any BaseModel, identity: ComponentIdentity, checkpoint: any CheckpointSource)?
  private var reading: BaseReading?
  private(set) var selector: RunSelector?
  private(set) var adapters: [(method: any Adapter, identity: ComponentIdentity, isActive: Bool)] = []
  private(set) var heads: [(head: any TaskHead, identity: ComponentIdentity)] = []
  private(set) var lossWeights: LossWeights?

  /// A model without components yet.
  public init(session: Session) { self.session = session }

  // MARK: - Composition

  /// Creates the base model.
  ///
  /// - Parameters:
  ///   - tokenize: token ids of a text without special tokens, for adapters that start from text.
  ///   - frequentTokens: the most frequent tokens of the training data, at most so many.
  ///   - specialToken: the id of a special token.
  ///   - make: makes it; called with the call's handle.
  /// - Throws: ``EngineFailure``.
  public func setBase(
    _ identity: ComponentIdentity, checkpoint: any CheckpointSource,
    tokenize: @escaping (String) -> [Int32], frequentTokens: @escaping (Int) -> [Int32],
    specialToken: @escaping (Base.SpecialToken) -> Int32? = { _ in nil },
    make: (OpaquePointer?) throws -> any BaseModel
  ) throws {
    try session.scoped {
      session.services.wordScale = 1
      (session.services.configurationRead, session.services.configurationUnderstood) = ([], nil)
      let model = try session.call(identity, "create", checkpoint: checkpoint) { call in
        let made = try Host.within(call) { try make(call) }
        session.warnOfUnknownConfiguration(checkpoint, identity)
        return made
      }
      base = (model, identity, checkpoint)
      session.services.facts = model.facts.raw
      session.services.wordTable = session.weight(model.wordTable.handle)
      session.services.tokenize = tokenize
      session.services.frequentTokens = frequentTokens
      session.services.specialToken = specialToken
      session.services.pooler = { [unowned self] rows in
        try self.ask("pooler") { try $0.pooler(Tensor(handle: self.session.handle(for: rows))) }
      }
      let reading = BaseReading(model, identity, session)
      self.reading = reading
      session.services.layerRows = reading.rows
      session.services.vocabularyScores = { [unowned self] rows in
        try self.ask("vocabulary_scores") {
          try $0.vocabularyScores(Tensor(handle: self.session.handle(for: rows)))
        }
      }
    }
  }

  /// Creates the selector, which the adapter asks for weights over its pool.
  public func setSelector(
    _ identity: ComponentIdentity, make: (OpaquePointer?) throws -> any Selector
  ) throws {
    let made = RunSelector(try create(identity, make), identity, session)
    selector = made
    session.services.selector = made.weights
  }

  /// Creates the only adapter.
  public func setAdapter(_ identity: ComponentIdentity, make: (OpaquePointer?) throws -> any Adapter) throws {
    adapters = []
    try addAdapter(identity, make: make)
  }

  /// Creates an adapter beside those that are there; what they inject is put together in the order of these calls.
  ///
  /// - Parameter isActive: whether it injects; one that is switched off only has its parameters.
  public func addAdapter(
    _ identity: ComponentIdentity, isActive: Bool = true, make: (OpaquePointer?) throws -> any Adapter
  ) throws {
    defer { reading?.forget() }
    adapters.append((try create(identity, make), identity, isActive))
  }

  /// Creates a task's head; tasks are numbered in the order of these calls.
  public func addHead(_ identity: ComponentIdentity, make: (OpaquePointer?) throws -> any TaskHead) throws {
    session.services.headTask = heads.count
    defer { session.services.headTask = nil }
    heads.append((try create(identity, make), identity))
  }

  private func create<Part>(_ identity: ComponentIdentity, _ make: (OpaquePointer?) throws -> Part) throws
    -> Part
  {
    try session.scoped {
      try session.call(identity, "create") { call in try Host.within(call) { try make(call) } }
    }
  }

  /// Lets the base model answer while another component's call is in progress. It may load what it needs for that.
  func ask(_ method: String, _ answer: (any BaseModel) throws -> Tensor) throws -> Node? {
    guard let base else { return nil }
    return try session.call(base.identity, method, checkpoint: base.checkpoint) { call in
      session.node(try Host.within(call) { try answer(base.model) }.handle, method)
    }
  }

  /// Says which tasks there will be, for the adapter and the selector.
  public func setTasks(_ tasks: [TaskFacts]) { session.services.tasks = tasks }

  // MARK: - Facts

  /// Names the base model and the adapters, the plugin of the first of them, in errors.
  var identities: (base: ComponentIdentity?, adapter: ComponentIdentity?) {
    let active = adapters.filter(\.isActive).map(\.identity)
    let adapter = active.first.map {
      ComponentIdentity(
        component: active.map(\.component).joined(separator: " and "), plugin: $0.plugin, owner: $0.owner)
    }
    return (base?.identity, adapter)
  }

  /// What the base model says of itself.
  public var facts: BaseFacts? { base?.model.facts }
  /// How many positions the adapters take from the text.
  public var adapterPositions: Int {
    adapters.reduce(0) { $0 + ($1.isActive ? $1.method.positions : 0) }
  }
  /// The learning rate that the first adapter recommends for AdamW; nil if it does not say.
  public var recommendedLearningRate: Double? { adapters.first?.method.learningRate }
  /// The learning rates that adapters recommend for AdamW, by the owner of their parameters.
  public var recommendedLearningRates: [String: Double] {
    adapters.reduce(into: [:]) { $0[$1.identity.owner] = $1.method.learningRate }
  }
  /// The parameters of the adapter, the selector and the heads, in the order they were declared.
  public var parameters: [TrainableParameter] { session.parameters }
  /// Those of them that training changes.
  public var trainedParameters: [TrainableParameter] { session.parameters.filter { !$0.isFrozen } }
  /// Number of trained values.
  public var trainableCount: Int { trainedParameters.reduce(0) { $0 + $1.count } }
  /// Number of frozen values that the base model loaded.
  public var baseCount: Int { session.weights.reduce(0) { $0 + ($1.isPart ? 0 : $1.rows * $1.columns) } }

  /// Says how much each task's loss counts; without it, all count alike.
  ///
  /// - Parameter learned: whether training finds out (see ``LossWeights``), beginning with these.
  public func setLossWeights(_ weights: [Double], learned: Bool) {
    lossWeights = LossWeights(weights, learned: learned, session)
  }

  /// Whether the adapter uses a selector for its pool.
  public var asksSelector: Bool { session.services.pool != nil }
  /// The owner of the parameters of the adapter that does.
  public var selectorAsker: String? { session.services.poolOwner?.owner }

  /// Whether a task's head scores each token, not each sequence.
  public func scoresTokens(task: Int) -> Bool { heads[task].head.scoreRows == .perToken }
  /// The names of the columns of a task's scores, where its head has names for them.
  public func scoreColumns(task: Int) -> [String] { heads[task].head.scoreColumns }
  /// Whether a task's head lays out rows itself.
  public func arranges(task: Int) -> Bool { heads[task].head is any ArrangingHead }
  /// How the texts of a row become a sequence for a task's head.
  public func reading(task: Int) -> Reading { heads[task].head.reading }

  /// Whether layers are computed again for the gradient instead of keeping their values: less memory, the same bits.
  public var recomputesLayers = false
}
