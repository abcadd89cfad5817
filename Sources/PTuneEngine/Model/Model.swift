import CPTune
import PTune

/// A frozen base model with adapters and task heads: one composition that trains, evaluates and predicts.
///
/// Components are created in this order: base, adapters, selector, heads; the tasks are named before. A model is used by one thread.
public final class Model {
  /// What carries it out.
  public let session: Session
  private var base: (model: any BaseModel, identity: ComponentIdentity, checkpoint: any CheckpointSource)?
  private var reading: BaseReading?
  private(set) var selector: RunSelector?
  private var adapters: [(method: any Adapter, identity: ComponentIdentity, isActive: Bool)] = []
  private(set) var heads: [(head: any TaskHead, identity: ComponentIdentity)] = []
  private var lossWeights: LossWeights?

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
      let model = try session.call(identity, "create", checkpoint: checkpoint) { call in
        try Host.within(call) { try make(call) }
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

  /// Whether the adapter asks a selector for weights over its pool.
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

  // MARK: - Steps

  /// Computes the loss of a batch and adds its gradient to the parameters'.
  ///
  /// - Returns: the loss.
  /// - Throws: ``EngineFailure``.
  public func differentiate(_ batch: PackedBatch) throws -> Float {
    try withLoss(of: batch) { loss, pass in
      session.differentiate(loss, recomputing: recomputesLayers ? pass.layerInputs : [])
    }
  }

  /// Computes the loss of a batch.
  ///
  /// - Throws: ``EngineFailure``.
  public func loss(_ batch: PackedBatch) throws -> Float {
    try withLoss(of: batch) { loss, _ in session.evaluate(loss)[0] }
  }

  /// Records the forward pass and the loss of a batch, a scalar, for `body` to compute: the mean over its examples
  /// of their tasks' losses, each counted with its task's weight, and what the adapter adds.
  private func withLoss<Result>(of batch: PackedBatch, _ body: (Node, Pass) -> Result) throws -> Result {
    try session.scoped {
      session.machine.isTraining = batch.isTraining
      let parts = try parts(of: batch)
      let pass = try forward(batch)
      var terms = try parts.map { part in
        let loss = try taskLoss(part.task, part.sequences, pass)
        let share = Float(batch.exampleCount(of: part.sequences)) / Float(batch.exampleCount)
        return lossWeights?.weighted(loss, task: part.task, share: share, session)
          ?? (share == 1 ? loss : share * loss)
      }
      terms += pass.injections.losses.map { Tensor(handle: session.handle(for: $0)) }
      let sum = try session.call(Self.run, "loss") { _ in
        session.node(terms.dropFirst().reduce(terms[0], +).handle, "loss")
      }
      guard let sum else { throw failure("forward", "the batch has no loss") }
      return body(sum, pass)
    }
  }

  /// The loss `[1, 1]` of a task over its sequences of a batch.
  private func taskLoss(_ task: Int, _ sequences: Range<Int>, _ pass: Pass) throws -> Tensor {
    let (head, identity) = heads[task]
    let view = Batch(handle: self.view(of: sequences, pass))
    return try session.call(identity, "loss") { call in
      let loss = try Host.within(call) { try head.loss(head.scores(pass.hidden, view), view) }
      if let node = session.node(loss.handle, "loss"), node.count != 1 {
        session.record("the loss is not a scalar", status: ptune_status(PTUNE_FAILED))
      }
      return loss
    }
  }

  /// Sequences of a batch as the head of their task sees them.
  private func view(of sequences: Range<Int>, _ pass: Pass) -> OpaquePointer? {
    let view = BatchView(pass.batch.slice(sequences))
    view.show(pass.layout, tokens: pass.batch.tokens(of: sequences), sequences: sequences)
    return session.handle(for: view, .batch)
  }

  /// The scores of each example of a batch, row by row, and their number of columns; and where the adapter asked the
  /// selector, what it gave each example in the first answer, a weight for each entry: the mean over its sequences.
  ///
  /// - Parameter forEvaluation: those that an evaluation keeps, where the head tells them apart.
  public func scores(
    _ batch: PackedBatch, forEvaluation: Bool = false
  ) throws -> (perExample: [[Float]], columns: Int, weights: [[Float]]) {
    try session.scoped {
      session.machine.isTraining = false
      let task = try uniformTask(batch)
      let pass = try forward(batch)
      let node = try session.call(heads[task].identity, "scores") { call in
        try Host.within(call) {
          let head = heads[task].head
          let view = Batch(handle: view(of: 0..<batch.count, pass))
          let scores =
            forEvaluation
            ? try head.evaluationScores(pass.hidden, view) : try head.scores(pass.hidden, view)
          return session.node(scores.handle, "scores")
        }
      }
      guard let node else { return ([], 0, []) }
      let perToken = heads[task].head.scoreRows == .perToken
      guard node.rows == (perToken ? batch.tokens.count : batch.count) else {
        throw EngineFailure(
          component: heads[task].identity.component, plugin: heads[task].identity.plugin, method: "scores",
          reason: "\(node.rows) rows of scores for \(batch.count) sequences of \(batch.tokens.count) tokens",
          status: ptune_status(PTUNE_FAILED))
      }
      let asked = selector?.first
      let evaluated = session.evaluate([node] + [asked].compactMap { $0 })
      let perExample = (0..<batch.exampleCount).map { example in
        let sequences = batch.sequences(ofExample: example)
        let rows = perToken ? batch.tokens(of: sequences) : sequences
        return Array(evaluated[0][rows.lowerBound * node.columns..<rows.upperBound * node.columns])
      }
      let weights = asked.map { asked in
        (0..<batch.exampleCount).map { example in
          let sequences = batch.sequences(ofExample: example)
          return (0..<asked.columns).map { entry in
            sequences.reduce(0) { $0 + evaluated[1][$1 * asked.columns + entry] } / Float(sequences.count)
          }
        }
      }
      return (perExample, node.columns, weights ?? [])
    }
  }

  /// The last hidden rows of a batch, `[rows, hidden]`, and the row of each token; for comparisons and inspection.
  public func hiddenRows(_ batch: PackedBatch) throws -> (values: [Float], textRows: [Int32]) {
    try session.scoped {
      session.machine.isTraining = false
      let pass = try forward(batch)
      guard let node = session.node(pass.hidden.handle, "hidden") else { return ([], []) }
      return (session.evaluate(node), pass.layout.textRows)
    }
  }

  /// The base model's scores of its vocabulary at each row of a batch, `[rows, vocabulary]`; for comparisons and
  /// inspection.
  public func vocabularyScores(_ batch: PackedBatch) throws -> [Float] {
    try session.scoped {
      session.machine.isTraining = false
      let pass = try forward(batch)
      let node = try ask("vocabulary_scores") { try $0.vocabularyScores(pass.hidden) }
      return node.map { session.evaluate($0) } ?? []
    }
  }

  /// The tasks of a batch and the sequences of each.
  private func parts(of batch: PackedBatch) throws -> [(task: Int, sequences: Range<Int>)] {
    guard let parts = batch.parts, !parts.isEmpty, parts.allSatisfy({ heads.indices.contains($0.task) })
    else { throw failure("forward", "a batch must hold sequences of the run's tasks, task by task") }
    return parts
  }

  private func uniformTask(_ batch: PackedBatch) throws -> Int {
    let parts = try parts(of: batch)
    guard parts.count == 1 else { throw failure("scores", "a batch must hold one of the run's tasks") }
    return parts[0].task
  }

  static let run = ComponentIdentity(component: "the run", owner: "training")

  func failure(_ method: String, _ reason: String) -> EngineFailure {
    EngineFailure(
      component: Self.run.component, plugin: nil, method: method, reason: reason,
      status: ptune_status(PTUNE_FAILED))
  }

  private struct Pass {
    let batch: PackedBatch
    let hidden: Tensor
    let injections: InjectionSet
    let layout: Layout
    /// What goes into each layer of the base model, in order.
    let layerInputs: [Node]
  }

  /// Injects and runs the base model: what comes out, and the batch as heads see it.
  private func forward(_ batch: PackedBatch) throws -> Pass {
    let injections = try inject(batch)
    let pass = ForwardPass(batch: batch, injections: injections, causal: facts?.causal ?? false)
    let hidden = try run(pass)
    return Pass(
      batch: batch, hidden: hidden, injections: injections, layout: pass.layout,
      layerInputs: pass.inputs.sorted { $0.key < $1.key }.map(\.value))
  }

  /// What the adapters add to a batch.
  ///
  /// - Parameter index: of the only adapter that is asked, even if it is switched off; nil for all.
  func inject(_ batch: PackedBatch, only index: Int? = nil) throws -> InjectionSet {
    let injections = InjectionSet(batch: batch)
    selector?.batch = batch
    defer { selector?.batch = nil }
    for adapter in index.map({ [adapters[$0]] }) ?? adapters.filter(\.isActive) {
      let viewHandle = session.handle(for: BatchView(batch), .batch)
      let target = session.handle(for: injections, .injections)
      try session.call(adapter.identity, "inject") { call in
        try Host.within(call) {
          try adapter.method.inject(Batch(handle: viewHandle), into: Injections(handle: target))
        }
      }
    }
    if let disagreement = injections.disagreement(
      tasks: session.services.tasks, causal: facts?.causal ?? false)
    {
      throw EngineFailure(
        component: identities.adapter?.component ?? "the run", plugin: identities.adapter?.plugin,
        method: "inject", reason: disagreement, status: ptune_status(PTUNE_BAD_ARGUMENT))
    }
    return injections
  }

  /// Runs the base model: its last hidden rows.
  func run(_ pass: ForwardPass) throws -> Tensor {
    guard let base, let facts = session.services.facts else {
      throw failure("forward", "there is no base model")
    }
    if let longest = pass.layout.positions.max(), Int(longest) >= facts.positions {
      throw EngineFailure(
        component: base.identity.component, plugin: base.identity.plugin, method: "forward",
        reason: "a sequence of \(longest + 1) positions, virtual tokens included; the base model has "
          + "\(facts.positions). Use fewer virtual tokens or a smaller maximum_length",
        status: ptune_status(PTUNE_BAD_ARGUMENT))
    }
    let passHandle = session.handle(for: pass, .forward)
    return try session.call(base.identity, "forward") { call in
      let hidden = try Host.within(call) { try base.model.forward(Forward(handle: passHandle)) }
      if let node = session.node(hidden.handle, "forward"), node.rows != pass.layout.rows.count {
        session.record("forward returned \(node.shapeText) for \(pass.layout.rows.count) rows")
      }
      return hidden
    }
  }

  // MARK: - Heads

  /// The sequences that a row consists of for a task whose head lays out rows itself.
  public func arrange(_ row: ExampleRow, task: Int) throws -> [ArrangementCollector.Input] {
    let collector = ArrangementCollector()
    try session.scoped {
      let example = session.handle(for: row, .example)
      let arrangement = session.handle(for: collector, .arrangement)
      try session.call(heads[task].identity, "arrange") { call in
        try Host.within(call) {
          try (heads[task].head as? any ArrangingHead)?.arrange(
            Example(handle: example), into: Arrangement(handle: arrangement))
        }
        if collector.inputs.isEmpty { session.record("arrange laid out no sequence") }
      }
      // A row may be laid out while an evaluation is measured, whose scope lasts over all rows.
      for handle in [example, arrangement].compactMap({ $0 }) { session.release(handle) }
    }
    return collector.inputs
  }

  /// Turns the label fields of a row into targets of a task.
  public func encode(_ row: ExampleRow, task: Int) throws -> TargetCollector {
    let collector = TargetCollector()
    try session.scoped {
      let example = session.handle(for: row, .example)
      let targets = session.handle(for: collector, .targets)
      try session.call(heads[task].identity, "encode") { call in
        try Host.within(call) {
          try heads[task].head.encode(Example(handle: example), into: Targets(handle: targets))
        }
      }
    }
    return collector
  }

  /// What the scores of one example mean to a task's head: members of a JSON object.
  public func predict(
    _ scores: [Float], columns: Int, _ row: ExampleRow, task: Int
  ) throws -> [(key: String, json: String)] {
    let collector = PredictionCollector()
    try session.scoped {
      let example = session.handle(for: row, .example)
      let prediction = session.handle(for: collector, .prediction)
      try session.call(heads[task].identity, "predict") { call in
        try Host.within(call) {
          try scores.withUnsafeBufferPointer {
            try heads[task].head.predict(
              ScoreMatrix(values: $0, columns: columns), Example(handle: example),
              into: Prediction(handle: prediction))
          }
        }
      }
    }
    return collector.members
  }

  /// Lets a task's head state its metrics over an evaluation.
  public func measure(_ record: EvaluationRecord, task: Int) throws -> [EvaluationRecord.Metric] {
    try session.scoped {
      let evaluation = session.handle(for: record, .evaluation)
      try session.call(heads[task].identity, "measure") { call in
        try Host.within(call) { try heads[task].head.measure(Evaluation(handle: evaluation)) }
      }
    }
    return record.metrics
  }

  // MARK: - The result

  /// A tensor of the result.
  public struct SavedTensor: Sendable {
    /// Its name.
    public let name: String
    /// Its dimensions.
    public let shape: [Int]
    /// Its values in row-major order.
    public let values: [Float]

    /// A tensor with values from elsewhere.
    public init(name: String, shape: [Int], values: [Float]) {
      (self.name, self.shape, self.values) = (name, shape, values)
    }
  }

  /// What the file holds of an adapter, and hyperparameters (as JSON) the saved adapter has instead of its own.
  ///
  /// - Parameter index: its number; the first one's by default.
  public func exportAdapter(_ index: Int = 0) throws -> (
    tensors: [SavedTensor], hyperparameters: [(name: String, json: String)]
  ) {
    guard adapters.indices.contains(index) else { return ([], []) }
    let adapter = adapters[index]
    guard let folding = adapter.method as? any FoldingAdapter else {
      return (saved(owner: adapter.identity.owner), [])
    }
    return try session.scoped {
      session.machine.isTraining = false
      let record = ExportRecord()
      let export = session.handle(for: record, .export)
      try session.call(adapter.identity, "save") { call in
        try Host.within(call) { try folding.save(to: Export(handle: export)) }
      }
      let tensors = record.tensors.map {
        SavedTensor(name: $0.name, shape: $0.shape, values: session.evaluate($0.node))
      }
      return (tensors, record.hyperparameters)
    }
  }

  /// The parameters of the selector; empty without one.
  public func exportSelector() -> [SavedTensor] { selector.map { saved(owner: $0.identity.owner) } ?? [] }

  /// The parameters of a task's head.
  public func exportHead(task: Int) -> [SavedTensor] { saved(owner: heads[task].identity.owner) }

  private func saved(owner: String) -> [SavedTensor] {
    parameters.filter { $0.owner == owner }.map {
      SavedTensor(
        name: $0.name, shape: $0.shape, values: Array(UnsafeBufferPointer(start: $0.values, count: $0.count)))
    }
  }
}
