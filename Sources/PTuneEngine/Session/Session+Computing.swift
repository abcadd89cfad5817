/// Values and gradients of recorded nodes.
extension Session {

  /// Computes a node now; its values, row by row.
  ///
  /// - Throws: ``LostWeight``.
  func evaluate(_ node: Node) throws -> [Float] { try evaluate([node])[0] }

  /// Computes nodes now, what they share once; the values of each, row by row.
  ///
  /// - Throws: ``LostWeight``.
  func evaluate(_ roots: [Node]) throws -> [[Float]] { try evaluate(roots) { $0.map { Array($0) } } }

  /// Computes nodes now and lets `take` see the values of each, row by row; they are gone afterwards.
  ///
  /// - Throws: ``LostWeight``, or what `take` throws.
  func evaluate<Result>(_ roots: [Node], take: ([UnsafeBufferPointer<Float>]) throws -> Result) throws
    -> Result
  {
    let plan = Planner.plan(roots, among: nodes)
    machine.forward(plan.order, roots: plan.roots, forBackward: false)
    defer { machine.release(plan.order) }
    try machine.finish()
    return try take(
      plan.roots.map { UnsafeBufferPointer(start: $0.value, count: $0.value == nil ? 0 : $0.count) })
  }

  /// Computes a scalar and adds its gradient to every parameter's.
  ///
  /// - Parameter layers: the inputs of the base model's layers, in order, to compute the layers again for the gradient
  ///   rather than to keep their values; empty to keep them.
  /// - Throws: ``LostWeight``.
  func differentiate(_ loss: Node, recomputing layers: [Node] = []) throws -> Float {
    let plan = machine.profile.around("planning") { Planner.plan([loss], among: nodes, marks: layers) }
    let recomputation = layers.isEmpty ? nil : Recomputation(plan.order, between: plan.marks)
    machine.forward(plan.order, roots: plan.roots, forBackward: true)
    defer { machine.release(plan.order) }
    try machine.finish()
    let value = plan.roots[0].value?.pointee ?? .nan
    if loss.needsGradient { machine.backward(plan.order, from: plan.roots[0], recomputation) }
    try machine.finish()
    return value
  }
}
