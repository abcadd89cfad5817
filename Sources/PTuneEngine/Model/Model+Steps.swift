import CPTune
import PTune

/// What a step computes: the loss of a batch with its gradient, or the scores of its examples.
extension Model {
  /// Computes the loss of a batch and adds its gradient to the parameters'.
  ///
  /// - Parameter share: how much the batch counts in its step (see ``shares(of:)``); nil for a step of this batch alone.
  /// - Returns: the loss, counted so much.
  /// - Throws: ``EngineFailure``.
  public func differentiate(_ batch: PackedBatch, share: BatchShare? = nil) throws -> Float {
    try withLoss(of: batch, share: share) { loss, pass in
      try session.differentiate(loss, recomputing: recomputesLayers ? pass.layerInputs : [])
    }
  }

  /// Computes the loss of a batch.
  ///
  /// - Throws: ``EngineFailure``.
  public func loss(_ batch: PackedBatch) throws -> Float {
    try withLoss(of: batch) { loss, _ in try session.evaluate(loss)[0] }
  }

  /// Records the forward pass and the loss of a batch, a scalar, for `body` to compute: the mean over its examples
  /// of their tasks' losses, each counted with its task's weight, and what the adapter adds.
  private func withLoss<Result>(
    of batch: PackedBatch, share: BatchShare? = nil, _ body: (Node, Pass) throws -> Result
  ) throws -> Result {
    try session.scoped {
      session.machine.isTraining = batch.isTraining
      let parts = try parts(of: batch)
      let pass = try forward(batch)
      var terms = try parts.map { part in
        let loss = try taskLoss(part.task, part.sequences, pass)
        let own = Float(batch.exampleCount(of: part.sequences)) / Float(batch.exampleCount)
        let examples = share.map { Float($0.examples[part.task] ?? 0) } ?? own
        let counted = share.map { Float($0.losses[part.task] ?? 0) } ?? own
        return lossWeights?.weighted(
          loss, task: part.task, share: counted, examples: examples, session)
          ?? (counted == 1 ? loss : counted * loss)
      }
      terms += pass.injections.losses.map {
        let loss = Tensor(handle: session.handle(for: $0))
        return share.map { Float($0.sequences) * loss } ?? loss
      }
      let sum = try session.call(Self.run, "loss") { _ in
        session.node(terms.dropFirst().reduce(terms[0], +).handle, "loss")
      }
      guard let sum else { throw failure("forward", "the batch has no loss") }
      return try body(sum, pass)
    }
  }

  /// The loss `[1, 1]` of a task over its sequences of a batch.
  private func taskLoss(_ task: Int, _ sequences: Range<Int>, _ pass: Pass) throws -> Tensor {
    let (head, identity) = heads[task]
    let view = Batch(handle: self.view(of: sequences, pass.batch, pass.layout))
    return try session.call(identity, "loss") { call in
      let loss = try Host.within(call) { try head.loss(head.scores(pass.hidden, view), view) }
      if let node = session.node(loss.handle, "loss"), node.count != 1 {
        session.record("the loss is not a scalar", status: ptune_status(PTUNE_FAILED))
      }
      return loss
    }
  }

  /// Sequences of a batch as the head of their task sees them.
  func view(of sequences: Range<Int>, _ batch: PackedBatch, _ layout: Layout) -> OpaquePointer? {
    let view = BatchView(batch.slice(sequences))
    view.show(layout, tokens: batch.tokens(of: sequences), sequences: sequences)
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
          let view = Batch(handle: view(of: 0..<batch.count, batch, pass.layout))
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
      let evaluated = try session.evaluate([node] + [asked].compactMap { $0 })
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
      return (try session.evaluate(node), pass.layout.textRows)
    }
  }

  /// The base model's scores of its vocabulary at each row of a batch, `[rows, vocabulary]`; for comparisons and
  /// inspection.
  public func vocabularyScores(_ batch: PackedBatch) throws -> [Float] {
    try session.scoped {
      session.machine.isTraining = false
      let pass = try forward(batch)
      let node = try ask("vocabulary_scores") { try $0.vocabularyScores(pass.hidden) }
      return try node.map { try session.evaluate($0) } ?? []
    }
  }

  /// The base model's pooling layer on each row of a batch, `[rows, hidden]`; for comparisons.
  ///
  /// - Throws: ``EngineFailure`` of a base model without one.
  public func pooledRows(_ batch: PackedBatch) throws -> [Float] {
    try session.scoped {
      session.machine.isTraining = false
      let pass = try forward(batch)
      let node = try ask("pooler") { try $0.pooler(pass.hidden) }
      return try node.map { try session.evaluate($0) } ?? []
    }
  }

  /// The tasks of a batch and the sequences of each.
  func parts(of batch: PackedBatch) throws -> [(task: Int, sequences: Range<Int>)] {
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
        reason: "a sequence of \(longest + 1) positions, including virtual tokens; the base model has "
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
}
