import CPTune
import PTune

/// One composition of components at work: what they declared, and the tape of the step in progress.
///
/// The C functions of the host table carry no context, so they act on the ``current`` session of their thread: a
/// plugin that calls the host from a thread of its own finds none, and its operators fail.
public final class Session {
  private static let currentPointer = ThreadLocalPointer()

  /// The session at work on this thread; it is kept alive by whoever put it to work.
  static var current: Session? {
    get { currentPointer.value.map { Unmanaged<Session>.fromOpaque($0).takeUnretainedValue() } }
    set { currentPointer.value = newValue.map { Unmanaged.passUnretained($0).toOpaque() } }
  }

  let machine: Machine
  /// The threads that compute.
  public var threads: ThreadPool { machine.threads }
  /// What the factors of products with frozen weights are rounded to.
  public var precision: ComputePrecision { machine.precision }
  /// The run's random numbers: initial values and dropout draw from it.
  public var generator: SplitMix64
  /// What components declared, in order.
  public private(set) var parameters: [TrainableParameter] = []

  /// What components keep during a training, in the order in which they asked for it.
  public internal(set) var states: [ComponentState] = []

  var weights: [Weight] = []
  private var weightIndices: [String: Int] = [:]
  var services = BaseServices()
  private(set) var nodes: [Node] = []
  private var leaves: [ObjectIdentifier: Node] = [:]
  private var objects: [(kind: HandleKind, object: AnyObject)] = []
  private var scope: UInt64 = 1
  private var scopeDepth = 0
  private var frames: [Frame] = []
  private(set) var failure: EngineFailure?

  struct Frame {
    let identity: ComponentIdentity
    let method: String
    let checkpoint: (any CheckpointSource)?
    /// Strings handed out during the call.
    var strings: [UnsafeMutablePointer<CChar>] = []
  }

  /// A session with these threads whose random numbers start from `seed`.
  public init(threads: ThreadPool, seed: UInt64, precision: ComputePrecision = .f32) {
    machine = Machine(threads: threads)
    machine.precision = precision
    generator = SplitMix64(seed: seed)
  }

  /// Messages of components; the program sets where they go.
  public var log: (_ level: Int32, _ message: String) -> Void = { _, _ in }
  /// Whether the user asked to stop.
  public var isCancelled: () -> Bool = { false }

  /// Measures steps; nil for nothing.
  public var profile: Profile? {
    get { machine.profile }
    set { machine.profile = newValue }
  }

  /// Bytes taken from the system for values of steps; they are reused and never given back.
  public var allocatedBytes: Int { machine.pool.allocatedBytes }

  // MARK: - Scopes and calls

  /// Runs `body` as one scope: everything it records is forgotten, and its memory reused, afterwards. A scope within
  /// a scope ends with the outer one.
  public func scoped<Result>(_ body: () throws -> Result) rethrows -> Result {
    let outer = Session.current
    Session.current = self
    scopeDepth += 1
    defer {
      scopeDepth -= 1
      if scopeDepth == 0 { endScope() }
      Session.current = outer
    }
    return try body()
  }

  private func endScope() {
    // From the last: a node holds its inputs, so the other way round a long chain would go all at once, each within the
    // next, and overflow the stack.
    while nodes.popLast() != nil {}
    leaves.removeAll(keepingCapacity: true)
    objects.removeAll(keepingCapacity: true)
    scope = (scope + 1) % Handle.scopes
  }

  /// Calls a function of a component, with the call's handle, and throws the first failure it caused.
  ///
  /// - Throws: ``EngineFailure`` with plugin, component and function.
  func call<Result>(
    _ identity: ComponentIdentity, _ method: String, checkpoint: (any CheckpointSource)? = nil,
    _ body: (OpaquePointer?) throws -> Result
  ) throws -> Result {
    let outer = Session.current
    Session.current = self
    frames.append(Frame(identity: identity, method: method, checkpoint: checkpoint))
    CallInProgress.set(identity, method)
    defer {
      for string in frames.removeLast().strings { string.deallocate() }
      Session.current = outer
      CallInProgress.set(frames.last?.identity, frames.last?.method ?? "")
    }
    if frames.count == 1 { failure = nil }
    do {
      let result = try body(Handle(.call, scope: scope, index: frames.count).pointer)
      if let failure { throw failure }
      return result
    } catch {
      if let failure { throw failure }
      if error is EngineFailure { throw error }
      throw makeFailure("\(error)", status: ptune_status(PTUNE_FAILED))
    }
  }

  /// The call in progress, innermost.
  var frame: Frame? { frames.last }

  /// A copy of a string that lives until the call in progress returns.
  func scopedString(_ text: String) -> UnsafePointer<CChar>? {
    guard !frames.isEmpty else { return nil }
    let bytes = Array(text.utf8CString)
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    frames[frames.count - 1].strings.append(copy)
    return UnsafePointer(copy)
  }

  private func makeFailure(_ reason: String, status: ptune_status) -> EngineFailure {
    let identity = frames.last?.identity
    return EngineFailure(
      component: identity?.component ?? "the engine", plugin: identity?.plugin,
      method: frames.last?.method ?? "between calls", reason: reason, status: status)
  }

  /// Records a failure of the call in progress; the first one wins.
  func record(_ reason: String, status: ptune_status = ptune_status(PTUNE_BAD_ARGUMENT)) {
    if failure == nil { failure = makeFailure(reason, status: status) }
  }

  // MARK: - Handles

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
    record("\(operation) got a pointer that is no tensor of this step; tensors do not outlive their step")
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
    record("got a pointer that is no parameter")
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

  // MARK: - Computing

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

/// What adapters and heads may ask of the base model and its text.
struct BaseServices {
  var facts: ptune_base_facts_v1?
  var wordTable: Weight?
  var tokenize: ((String) -> [Int32])?
  var frequentTokens: ((Int) -> [Int32])?
  var pooler: ((Node) throws -> Node?)?
  var vocabularyScores: ((Node) throws -> Node?)?
  var specialToken: ((Base.SpecialToken) -> Int32?)?
  var layerRows: (([Int32], _ layer: Int, Base.LayerPart) throws -> [Float])?
  /// The linear layers that the base model named.
  var sites = Sites()
  var tasks: [TaskFacts] = []
  /// The task whose head is being created.
  var headTask: Int?
  var selector: ((Int, Node, Node) throws -> Node?)?
  /// What the adapter announced that it will ask the selector about.
  var pool: (keys: Int, columns: Int)?
  /// The adapter that did.
  var poolOwner: ComponentIdentity?
}
