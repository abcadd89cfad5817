/// Turns recorded nodes into instructions that compute the roots and nothing else.
///
/// Rows that nobody asks for are not computed: where all readers of a node gather the same rows from it, the
/// demand for those rows moves down through every operator that works row by row, up to the queries of an
/// attention. So a head that reads one row a sequence makes the last layer compute one row a sequence, and no base
/// model needs to know.
///
/// A product with an activation that nothing else reads becomes one operator with it.
struct Planner {
  private enum Demand {
    case rows([Int32])
    case whole
  }

  private var demands: [ObjectIdentifier: Demand] = [:]
  private var instructions: [ObjectIdentifier: Instruction] = [:]
  private var gathered: [ObjectIdentifier: [(rows: [Int32], instruction: Instruction)]] = [:]
  private var order: [Instruction] = []
  /// How many nodes read a node's values; those that are asked for have one reader more.
  private var readers: [ObjectIdentifier: Int] = [:]
  /// Products in the form that computes their activation as well, and the activations that they take the place of.
  private var gated: [ObjectIdentifier: Node] = [:]
  private var absorbed: Set<ObjectIdentifier> = []

  /// The instructions that compute `roots`, each after its inputs, and those of the roots themselves.
  ///
  /// - Parameter nodes: all recorded nodes, each after its inputs.
  static func plan(_ roots: [Node], among nodes: [Node]) -> (order: [Instruction], roots: [Instruction]) {
    let plan = plan(roots, among: nodes, marks: [])
    return (plan.order, plan.roots)
  }

  /// The same, and the instructions of further nodes, where the plan has them.
  static func plan(
    _ roots: [Node], among nodes: [Node], marks: [Node]
  ) -> (order: [Instruction], roots: [Instruction], marks: [Instruction]) {
    var planner = Planner()
    for root in roots { planner.demands[ObjectIdentifier(root)] = .whole }
    for node in roots + marks { planner.readers[ObjectIdentifier(node), default: 0] += 1 }
    for node in nodes.reversed() { planner.spreadDemand(of: node) }
    for node in nodes { planner.absorbActivation(of: node) }
    for node in nodes where planner.instructions[ObjectIdentifier(node)] == nil { planner.emit(node) }
    func instructions(_ nodes: [Node]) -> [Instruction] {
      nodes.compactMap { planner.instructions[ObjectIdentifier($0)] }
    }
    return (planner.order, instructions(roots), instructions(marks))
  }

  private mutating func spreadDemand(of node: Node) {
    guard let demand = demands[ObjectIdentifier(node)] else { return }
    for (index, input) in node.inputs.enumerated() {
      readers[ObjectIdentifier(input), default: 0] += 1
      if case .whole = demand, let gather = node.operation as? GatherRows {
        add(.rows(gather.rows), to: input)
      } else if case .rows = demand, node.operation.rowFlow(index, node) == .same {
        add(demand, to: input)
      } else {
        add(.whole, to: input)
      }
    }
  }

  private mutating func add(_ demand: Demand, to node: Node) {
    // Leaves exist whole, some operators make all of their result or nothing, and of one row there is nothing to leave
    // out; a gather reads from them as they are.
    if node.inputs.isEmpty || node.rows <= 1 || !node.operation.restrictsRows {
      demands[ObjectIdentifier(node)] = .whole
      return
    }
    switch (demands[ObjectIdentifier(node)], demand) {
    case (nil, _): demands[ObjectIdentifier(node)] = demand
    case (.rows(let known)?, .rows(let wanted)) where known == wanted: break
    default: demands[ObjectIdentifier(node)] = .whole
    }
  }

  private mutating func absorbActivation(of node: Node) {
    guard demands[ObjectIdentifier(node)] != nil, let product = node.operation as? BinaryOperation,
      product.function == .multiply,
      node.inputs.allSatisfy({ $0.rows == node.rows && $0.columns == node.columns })
    else { return }
    for (factor, other) in [(node.inputs[0], node.inputs[1]), (node.inputs[1], node.inputs[0])] {
      guard let activation = factor.operation as? UnaryOperation, activation.savesDerivative,
        readers[ObjectIdentifier(factor)] == 1
      else { continue }
      gated[ObjectIdentifier(node)] = Node(
        GatedOperation(function: activation), [factor.inputs[0], other], rows: node.rows,
        columns: node.columns)
      absorbed.insert(ObjectIdentifier(factor))
      return
    }
  }

  private mutating func emit(_ recorded: Node) {
    guard let demand = demands[ObjectIdentifier(recorded)], !absorbed.contains(ObjectIdentifier(recorded))
    else {
      return
    }
    let node = gated[ObjectIdentifier(recorded)] ?? recorded
    let instruction: Instruction
    switch demand {
    case .whole:
      if node.operation is GatherRows, case .rows? = demands[ObjectIdentifier(node.inputs[0])] {
        // The input was computed for just these rows: it is the result.
        instructions[ObjectIdentifier(recorded)] = whole(node.inputs[0])
        return
      }
      instruction = Instruction(
        node.operation, node.inputs.map { whole($0) }, rows: node.rows, columns: node.columns,
        needsGradient: node.needsGradient)
    case .rows(let wanted):
      let inputs = node.inputs.enumerated().map { index, input in
        node.operation.rowFlow(index, node) == .same ? rows(wanted, of: input) : whole(input)
      }
      instruction = Instruction(
        node.operation.restricted(to: wanted), inputs, rows: wanted.count, columns: node.columns,
        needsGradient: node.needsGradient)
    }
    instructions[ObjectIdentifier(recorded)] = instruction
    order.append(instruction)
  }

  private func whole(_ node: Node) -> Instruction {
    // Demand was spread from readers to inputs, and inputs were emitted first, so it is there.
    instructions[ObjectIdentifier(node)]!
  }

  /// These rows of a node: its instruction if that computes just them, else gathered from it, once.
  private mutating func rows(_ wanted: [Int32], of node: Node) -> Instruction {
    let source = whole(node)
    if case .rows? = demands[ObjectIdentifier(node)] { return source }
    if let known = gathered[ObjectIdentifier(node)]?.first(where: { $0.rows == wanted }) {
      return known.instruction
    }
    let gather = Instruction(
      GatherRows(rows: wanted), [source], rows: wanted.count, columns: node.columns,
      needsGradient: node.needsGradient)
    gathered[ObjectIdentifier(node), default: []].append((wanted, gather))
    order.append(gather)
    return gather
  }
}
