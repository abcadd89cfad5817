import PTune

/// How much a batch counts in a step that several batches make together: so much that their gradients add up to those
/// of one batch with the examples of all of them.
///
/// A head's loss is a mean, and over what it is a mean differs between batches: over the tokens that count, over rows
/// that have a weight each, over sequences.
public struct BatchShare: Sendable, Equatable {
  /// The factor of each task's loss: the task's share of the step's examples times the batch's share of the task's
  /// targets.
  var losses: [Int: Double]
  /// The share of the step's examples that are this batch's, by task.
  var examples: [Int: Double]
  /// The share of the step's sequences that are this batch's, for what adapters add to the loss.
  var sequences: Double

  /// The share of the step that the batch is; the loss divided by it is a mean again.
  public var whole: Double { losses.values.reduce(0, +) }
}

extension Model {
  /// How much each of the batches of a step counts; nil for one that is alone.
  ///
  /// - Throws: ``EngineFailure``.
  public func shares(of batches: [PackedBatch]) throws -> [BatchShare?] {
    guard batches.count > 1 else { return batches.map { _ in nil } }
    let parts = try batches.map { batch in
      try self.parts(of: batch).map { part in
        (
          task: part.task, examples: Double(batch.exampleCount(of: part.sequences)),
          weight: try lossWeight(of: part.task, part.sequences, batch)
        )
      }
    }
    var (examples, weights) = ([Int: Double](), [Int: Double]())
    for part in parts.joined() {
      examples[part.task, default: 0] += part.examples
      weights[part.task, default: 0] += part.weight
    }
    let allExamples = examples.values.reduce(0, +)
    let allSequences = batches.reduce(0) { $0 + Double($1.count) }
    return zip(batches, parts).map { batch, parts in
      var share = BatchShare(losses: [:], examples: [:], sequences: Double(batch.count) / allSequences)
      for part in parts {
        let (all, weight) = (examples[part.task] ?? 0, weights[part.task] ?? 0)
        share.examples[part.task] = part.examples / allExamples
        share.losses[part.task] = weight > 0 ? all / allExamples * part.weight / weight : 0
      }
      return share
    }
  }

  /// The weight of what the loss of a task's sequences is the mean of.
  ///
  /// The head records its loss over rows that nothing computes: which targets count, and how much, is known without.
  private func lossWeight(of task: Int, _ sequences: Range<Int>, _ batch: PackedBatch) throws -> Double {
    let generator = session.generator
    defer { session.generator = generator }
    let weight: Double? = try session.scoped {
      let pass = ForwardPass(
        batch: batch, injections: InjectionSet(batch: batch), causal: facts?.causal ?? false)
      let hidden = Node(
        UncomputedLeaf(), [], rows: pass.layout.rows.count, columns: facts?.hiddenSize ?? 0,
        needsGradient: false)
      let (head, identity) = heads[task]
      let view = Batch(handle: self.view(of: sequences, batch, pass.layout))
      let loss = try session.call(identity, "loss") { call in
        let loss = try Host.within(call) {
          try head.loss(head.scores(Tensor(handle: session.handle(for: hidden)), view), view)
        }
        return session.node(loss.handle, "loss")
      }
      return loss.flatMap(\.targetWeight)
    }
    if let weight { return weight }
    // A loss of the head's own making: the mean over its targets, which are numbers where it has some.
    let own = batch.slice(sequences)
    if !own.numbers.isEmpty { return Double(own.numbers.count) }
    let counted = own.integers.count { $0 >= 0 }
    return Double(counted > 0 ? counted : own.exampleCount)
  }
}

extension Node {
  /// The sum of the weights of the targets that losses here and below are means over; nil where there is no such loss.
  fileprivate var targetWeight: Double? {
    var weights: [Double] = []
    var seen: Set<ObjectIdentifier> = []
    var open = [self]
    while let node = open.popLast() {
      guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
      if let loss = node.operation as? any TargetLoss {
        weights.append(loss.targetWeight)
      } else {
        open += node.inputs
      }
    }
    return weights.isEmpty ? nil : weights.reduce(0, +)
  }
}

/// An operator that computes the mean of a loss over targets.
private protocol TargetLoss: Operation {
  /// The sum of the targets' weights.
  var targetWeight: Double { get }
}

extension CrossEntropyOperation: TargetLoss {
  fileprivate var targetWeight: Double {
    targets.reduce(0) { $0 + ($1 < 0 ? 0 : Double(classWeights?[Int($1)] ?? 1)) }
  }
}

extension VocabularyLossOperation: TargetLoss {
  fileprivate var targetWeight: Double { loss.targetWeight }
}

extension SigmoidCrossEntropyOperation: TargetLoss {
  fileprivate var targetWeight: Double { Double(targets.count) }
}

/// Hidden rows of which only the shape matters.
private struct UncomputedLeaf: Operation {
  let name = "uncomputed"

  func forward(_ instruction: Instruction, _ machine: Machine) {
    preconditionFailure("rows that stand for their shape alone are never computed")
  }

  func backward(_ instruction: Instruction, _ machine: Machine) {}
}
