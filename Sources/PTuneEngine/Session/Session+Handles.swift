import CPTune

/// What the handles that plugins hold stand for.
extension Session {
  /// Operators that a step may record: far more than any model needs, and little enough that one that records without
  /// end is stopped before it has taken the machine's memory.
  static let nodeLimit = 200_000

  func handle(for node: Node) -> OpaquePointer? {
    guard nodes.count < Self.nodeLimit else {
      record("more than \(Self.nodeLimit) operators in one step", status: ptune_status(PTUNE_FAILED))
      return nil
    }
    nodes.append(node)
    return Handle(.node, scope: scope, index: nodes.count - 1).pointer
  }

  func handle(for object: AnyObject, _ kind: HandleKind) -> OpaquePointer? {
    objects.append((kind, object))
    return Handle(kind, scope: scope, index: objects.count - 1).pointer
  }

  /// Forgets an object before the scope ends; its handle is refused from then on.
  func release(_ pointer: OpaquePointer) {
    guard let handle = Handle(pointer), handle.scope == scope, handle.index < objects.count else { return }
    objects[handle.index].object = Self.released
  }

  private final class Released: Sendable {}
  private static let released = Released()

  /// The object behind a pointer; nil, with a failure recorded, if it is not what it should be.
  func object<Object: AnyObject>(
    _ pointer: OpaquePointer?, _ kind: HandleKind, _ type: Object.Type
  ) -> Object? {
    if let handle = Handle(pointer), handle.kind == kind, handle.scope == scope, handle.index < objects.count,
      objects[handle.index].kind == kind, let object = objects[handle.index].object as? Object
    {
      return object
    }
    record("got a pointer that is no \(kind.name) of this step")
    return nil
  }

  /// The node behind a tensor; nil, with a failure recorded unless the pointer is NULL.
  func node(_ pointer: OpaquePointer?, _ operation: String) -> Node? {
    guard let pointer else {
      record("\(operation) got a tensor that failed before", status: ptune_status(PTUNE_FAILED))
      return nil
    }
    if let handle = Handle(pointer) {
      if handle.kind == .node, handle.scope == scope, handle.index < nodes.count {
        return nodes[handle.index]
      }
      if handle.kind == .weight, handle.index < weights.count { return leaf(weights[handle.index]) }
    }
    record("\(operation) got a pointer that is not a tensor of this step; tensors do not outlive their step")
    return nil
  }

  /// The frozen weight behind a tensor, if it is one.
  func weight(_ pointer: OpaquePointer?) -> Weight? {
    guard let handle = Handle(pointer), handle.kind == .weight, handle.index < weights.count else {
      return nil
    }
    return weights[handle.index]
  }

  private func leaf(_ weight: Weight) -> Node {
    if let known = leaves[ObjectIdentifier(weight)] { return known }
    let node = Node(
      WeightLeaf(weight: weight), [], rows: weight.rows, columns: weight.columns, needsGradient: false)
    leaves[ObjectIdentifier(weight)] = node
    nodes.append(node)
    return node
  }

  func leaf(_ parameter: TrainableParameter) -> Node {
    if let known = leaves[ObjectIdentifier(parameter)] { return known }
    let node = Node(
      ParameterLeaf(parameter: parameter), [], rows: parameter.rows, columns: parameter.columns,
      needsGradient: !parameter.isFrozen)
    leaves[ObjectIdentifier(parameter)] = node
    return node
  }

  func parameter(_ pointer: OpaquePointer?) -> TrainableParameter? {
    if let handle = Handle(pointer), handle.kind == .parameter, handle.index < parameters.count {
      return parameters[handle.index]
    }
    record("got a pointer that is not a parameter")
    return nil
  }

  func add(_ parameter: TrainableParameter) -> OpaquePointer? {
    parameters.append(parameter)
    return Handle(.parameter, scope: 0, index: parameters.count - 1).pointer
  }

  func add(_ weight: Weight) -> OpaquePointer? {
    if let known = weightIndices[weight.name] { return Handle(.weight, scope: 0, index: known).pointer }
    weights.append(weight)
    weightIndices[weight.name] = weights.count - 1
    return Handle(.weight, scope: 0, index: weights.count - 1).pointer
  }
}
