import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

@Suite("Planning") struct PlanningTests {
  /// The twin's head, which looks at the plan of its loss, and may read its rows so that nothing can be left out.
  private final class Observer: TaskHead {
    static let scoreRows = ScoreRows.perSequence
    private let head: TwinHead
    private let readsAll: Bool
    var plan: [Instruction] = []

    init(readsAll: Bool) throws {
      head = try TwinHead(.first)
      self.readsAll = readsAll
    }

    func encode(_ example: Example, into targets: Targets) throws {}
    func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
      // Twice the transpose is no change, but its rows depend on all rows.
      try head.scores(readsAll ? hidden.transposed().transposed() : hidden, batch)
    }
    func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor {
      let loss = try head.loss(scores, batch)
      let session = try #require(Session.current)
      plan = Planner.plan([try #require(session.node(loss.handle, "loss"))], among: session.nodes).order
      return loss
    }
    func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws {}
    func measure(_ evaluation: Evaluation) throws {}
  }

  private func model(
    readsAll: Bool = false, _ adapter: @escaping () throws -> any Adapter
  ) throws -> (model: Model, head: Observer) {
    let model = Model.forTesting()
    try model.useTwinBase()
    try model.useTwinAdapter(adapter)
    var head: Observer?
    try model.addHead(ComponentIdentity(component: "task head observer", owner: "head.observer")) { _ in
      let made = try Observer(readsAll: readsAll)
      head = made
      return made
    }
    return (model, try #require(head))
  }

  private func rows(_ plan: [Instruction], _ name: String) -> [Int] {
    plan.filter { $0.operation.name == name }.map(\.rows)
  }

  @Test("a head that reads one row a sequence makes the last layer compute one row a sequence")
  func lastLayer() throws {
    let (model, head) = try model { try TwinAdapter.prompt(rows: 2, at: .start) }
    _ = try model.loss(.forTesting(lengths: [5, 1, 3]))
    // Three sequences of nine tokens with two virtual tokens each: 15 rows.
    #expect(rows(head.plan, "attention") == [15, 3])
    // Query, key, value, output, up and down of both layers; then the head's own.
    #expect(
      head.plan.filter { $0.operation is FrozenLinearOperation }.map(\.rows) == Array(repeating: 15, count: 6)
        + [3, 15, 15, 3, 3, 3])
    #expect(rows(head.plan, "layer_norm") == [15, 15, 3, 3])
  }

  @Test("losses, scores and gradients are the same whether rows are left out or not")
  func samePruned() throws {
    func run(readsAll: Bool) throws -> (loss: Float, scores: [[Float]], gradients: [[Float]], rows: [Int]) {
      let (model, head) = try model(readsAll: readsAll) {
        try TwinAdapter(parameters: [[2, 16], [4, 16]]) { values, _, injections in
          try injections.input(values[0], at: .afterFirst)
          try injections.hiddenPrefix(values[1], layer: 1)
        }
      }
      let batch = PackedBatch.forTesting(lengths: [5, 1, 3])
      let loss = try model.differentiate(batch)
      let gradients = model.parameters.map {
        Array(UnsafeBufferPointer(start: $0.gradients, count: $0.count))
      }
      return (loss, try model.scores(batch).perExample, gradients, rows(head.plan, "attention"))
    }
    let (pruned, whole) = (try run(readsAll: false), try run(readsAll: true))
    #expect(pruned.rows == [15, 3] && whole.rows == [15, 15])
    // Not bit by bit: a matrix product of fewer rows may add its terms in another order.
    #expect(relativeDifference([pruned.loss], [whole.loss]) < 1e-6)
    #expect(relativeDifference(pruned.scores.flatMap { $0 }, whole.scores.flatMap { $0 }) < 1e-6)
    for (pruned, whole) in zip(pruned.gradients, whole.gradients) {
      #expect(relativeDifference(pruned, whole) < 1e-5)
    }
  }

  @Test("some rows of any operator's result equal those rows of the whole result, in value and gradient")
  func rowsOfOperators() throws {
    let operators: [(name: String, apply: (Tensor, Tensor) -> Tensor)] = [
      ("unary", { x, _ in x.gelu() }), ("binary", { x, y in x * y }),
      ("one row", { x, y in x - y.rows(0..<1) }),
      ("one column", { x, y in x * y.columns(0..<1) }), ("affine", { x, _ in x.affine(scale: 2, shift: 1) }),
      ("matmul", { x, y in x.matmul(y) }), ("matmul aT", { x, y in x.matmul(y, transposed: true) }),
      ("linear", { x, y in x.linear(y, bias: y.rows(0..<1)) }), ("transpose", { x, _ in x.transposed() }),
      ("reshape", { x, _ in x.reshaped(rows: 8, columns: 2) }),
      ("layer norm", { x, y in x.layerNorm(gain: y.rows(1..<2), bias: y.rows(2..<3), epsilon: 1e-5) }),
      ("rms norm", { x, y in x.rmsNorm(gain: y.rows(1..<2), epsilon: 1e-5) }),
      ("softmax", { x, _ in x.softmax() }),
      (
        "rotary",
        { x, _ in
          guard let session = Session.current, let node = session.node(x.handle, "rotary") else { return x }
          let operation = RotaryOperation(
            heads: 2, isInterleaved: false, positions: [3, 0, 5, 1],
            table: RotaryTable(RotaryAngles(frequencies: [0.7], scale: 1), last: 5))
          return Tensor(handle: session.handle(for: Node(operation, [node], rows: 4, columns: 4)))
        }
      ),
      ("sum of columns", { x, _ in x.sum(over: .columns).matmul(.filled(1, rows: 1, columns: 4)) }),
      ("columns", { x, y in .concatenatingColumns([x.columns(1..<3), y]) }),
      ("rows", { x, y in .concatenatingRows([x.rows(1..<3), y]) }),
    ]
    for (name, apply) in operators {
      func run(whole: Bool) throws -> [[Float]] {
        let bench = OperatorBench()
        let parameters = (0..<2).map { index in
          let parameter = TrainableParameter(owner: "test", name: "\(index)", shape: [4, 4])
          for place in 0..<16 { parameter.values[place] = Float((place * 7 + index * 5) % 11) / 4 - 1 }
          _ = bench.session.add(parameter)
          return parameter
        }
        let picked = try bench.session.scoped {
          let result = apply(bench.tensor(parameters[0]), bench.tensor(parameters[1])).tanh()
          // Twice the transpose is no change, but its rows depend on all rows.
          let picked = (whole ? result.transposed().transposed() : result).rows(at: [3, 1])
          let values = try picked.values()
          _ = try bench.session.differentiate(try bench.node((picked * picked).sum()))
          return values
        }
        return [picked] + parameters.map { Array(UnsafeBufferPointer(start: $0.gradients, count: $0.count)) }
      }
      for (some, all) in zip(try run(whole: false), try run(whole: true)) {
        #expect(relativeDifference(some, all) < 1e-6, "\(name)")
      }
    }
  }

  @Test("a single row may be asked for many times")
  func repeatedRow() throws {
    let bench = OperatorBench()
    try bench.session.scoped {
      let sum = Tensor.filled(1, rows: 1, columns: 2) + .filled(2, rows: 1, columns: 2)
      let values = try sum.rows(at: [0, 0, 0]).values()
      #expect(values == [3, 3, 3, 3, 3, 3])
    }
  }

  @Test("frozen layers below the lowest injection get no gradients")
  func frozenParts() throws {
    let (model, head) = try model {
      try TwinAdapter(parameters: [[2, 16]]) { try $2.hiddenPrefix($0[0], layer: 1) }
    }
    _ = try model.differentiate(.forTesting())
    // Query, key, value, output, up, down of two layers: the prefix reaches the upper keys and values and what follows.
    #expect(
      head.plan.filter { $0.operation is FrozenLinearOperation }.map(\.needsGradient)
        == Array(repeating: false, count: 7) + Array(repeating: true, count: 5))
    for frozen in head.plan where !frozen.needsGradient {
      #expect(model.session.machine.gradient(of: frozen) == nil)
      model.session.machine.addGradient(to: frozen) { _ in
        Issue.record("a gradient of \(frozen.operation.name)")
      }
    }
    #expect(head.plan.contains { $0.operation.name == "weight" && !$0.needsGradient })
  }

  @Test("without a trained parameter below it, a loss has no gradient and no backward pass")
  func untrained() throws {
    let bench = OperatorBench()
    try bench.session.scoped {
      let loss = try bench.node(Tensor.constant([3], rows: 1, columns: 1).stopGradient())
      #expect(try bench.session.differentiate(loss) == 3)
    }
  }

  @Test("dropout does nothing in evaluation")
  func dropoutInEvaluation() throws {
    let bench = OperatorBench()
    bench.session.machine.isTraining = false
    try bench.session.scoped {
      let x = Tensor.constant((0..<12).map(Float.init), rows: 3, columns: 4)
      let values = try x.dropout(0.9).values()
      #expect(values == (0..<12).map(Float.init))
    }
  }

  @Test("dropout in training is a function of the seed, and keeps the mean")
  func dropoutInTraining() throws {
    func draw(_ seed: UInt64) throws -> [Float] {
      let session = Session(threads: ThreadPool(count: 2), seed: seed)
      session.machine.isTraining = true
      return try session.scoped { try Tensor.filled(1, rows: 100, columns: 40).dropout(0.25).values() }
    }
    TestHost.connect()
    let (values, again, other) = (try draw(5), try draw(5), try draw(6))
    #expect(values == again)
    #expect(values != other)
    #expect(values.allSatisfy { $0 == 0 || abs($0 - 4 / 3) < 1e-6 })
    let dropped = values.filter { $0 == 0 }.count
    #expect((900...1100).contains(dropped), "\(dropped) of 4000")
  }

  @Test("a model with dropout gives the same losses for the same seed, and no dropout in its scores")
  func dropoutInModels() throws {
    func run(_ seed: UInt64) throws -> (losses: [Float], scores: [Bool]) {
      let model = Model.forTesting(seed: seed)
      try model.useTwinBase()
      try model.useTwinAdapter {
        try TwinAdapter(parameters: [[2, 16]], deviation: 0) { values, _, injections in
          try injections.input(values[0].affine(scale: 1, shift: 1).dropout(0.5), at: .start)
        }
      }
      try model.useTwinHead()
      let batch = PackedBatch.forTesting()
      let scores = try (0..<2).map { _ in try model.scores(batch).perExample }
      return (try (0..<3).map { _ in try model.differentiate(batch) }, [scores[0] == scores[1]])
    }
    let (first, again) = (try run(1), try run(1))
    #expect(first.losses == again.losses)
    #expect(Set(first.losses).count == 3)
    #expect(first.scores == [true])
  }

  @Test(
    "a product with an activation is one operator where nothing else reads the activation, with equal gradients"
  )
  func gates() throws {
    func run(_ compute: (Tensor, Tensor) -> Tensor) throws -> (names: Set<String>, numbers: [Float]) {
      let bench = OperatorBench()
      var generator = SplitMix64(seed: 5)
      let (x, y) = (
        TrainableParameter(owner: "test", name: "x", shape: [3, 21]),
        TrainableParameter(owner: "test", name: "y", shape: [3, 21])
      )
      for parameter in [x, y] {
        for index in 0..<parameter.count { parameter.values[index] = Float(generator.normal()) }
        _ = bench.session.add(parameter)
      }
      return try bench.session.scoped {
        let node = try bench.node(compute(bench.tensor(x), bench.tensor(y)).sum())
        let names = Planner.plan([node], among: bench.session.nodes).order.map(\.operation.name)
        let loss = try bench.session.differentiate(node)
        let gradients = [x, y].flatMap { UnsafeBufferPointer(start: $0.gradients, count: $0.count) }
        return (Set(names), [loss] + gradients)
      }
    }
    for (name, activate) in [
      ("silu", { $0.silu() }), ("gelu", { $0.gelu() }), ("gelu_tanh", { $0.geluTanh() }),
    ] as [(String, (Tensor) -> Tensor)] {
      let (first, second) = (try run { activate($0) * $1 }, try run { $1 * activate($0) })
      // Through a shift by nothing, which is no activation.
      let apart = try run { activate($0).affine(scale: 1, shift: 0) * $1 }
      for gated in [first, second] {
        #expect(
          gated.names.isSuperset(of: ["\(name)_gate"]) && gated.names.isDisjoint(with: [name, "multiply"]))
        #expect(relativeDifference(gated.numbers, apart.numbers) < 1e-6)
      }
      let own = try run { x, _ in activate(x) * x }
      let ownApart = try run { x, _ in activate(x).affine(scale: 1, shift: 0) * x }
      #expect(own.names.contains("\(name)_gate") && relativeDifference(own.numbers, ownApart.numbers) < 1e-6)
      let shared = try run { x, y in
        let activation = activate(x)
        return activation * y + activation
      }
      #expect(shared.names.isSuperset(of: [name, "multiply"]))
      // Of an activation times itself nothing is left to be multiplied with.
      #expect(
        try run { x, _ in
          let activation = activate(x); return activation * activation
        }.names.contains(name))
    }
  }
}
